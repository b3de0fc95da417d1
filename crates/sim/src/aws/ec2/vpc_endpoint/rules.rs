//! Gateway endpoints: what one needs, and the routes that come and go with it.

use crate::rules::macros::rules;

rules! {
    SERVICE: "endpoint.service" Refusal [Ec2::CreateVpcEndpoint] "InvalidServiceName" => "The Vpc Endpoint Service '{}' does not exist";
        "an endpoint is for a service of its Region"; [PublicLogs, UserGuide];
    INTERFACE: "endpoint.interface" Unmodelled [Ec2::CreateVpcEndpoint] "InvalidParameter" => "endpoints of type {} are not modelled";
        "an endpoint of another type than Gateway, which AWS has, is not modelled"; [Simulator, ServiceModel];
    TYPE_DEFAULT: "endpoint.type-default" Default [Ec2::CreateVpcEndpoint];
        "an endpoint is a gateway endpoint unless it is to be another"; [ServiceModel];
    TABLE_NETWORK: "endpoint.table-network" Refusal [Ec2::CreateVpcEndpoint, Ec2::ModifyVpcEndpoint] "InvalidParameter" => "route table {} does not belong to VPC {}";
        "the route tables of an endpoint are of its VPC"; [UserGuide, Experience];
    TABLE_TAKEN: "endpoint.table-taken" Refusal [Ec2::CreateVpcEndpoint, Ec2::ModifyVpcEndpoint] "RouteAlreadyExists" => "route table {} already has a route with destination-prefix-list-id {}";
        "a route table has one route to a service: another endpoint for it is refused, and so is the same one again"; [UserGuide, PublicLogs];
    TABLE_NOT_ITS: "endpoint.table-not-its" Refusal [Ec2::ModifyVpcEndpoint] "InvalidParameter" => "route table {} is not associated with endpoint {}";
        "a table is taken away from an endpoint that has it; what AWS says otherwise is not known for sure"; [Experience];
    ROUTE: "endpoint.route" Transition [Ec2::CreateVpcEndpoint, Ec2::ModifyVpcEndpoint, Ec2::DescribeRouteTables];
        "each table of a gateway endpoint has a route to the service's prefix list by it, as long as the endpoint has the table"; [UserGuide];
    TABLE_DELETED: "endpoint.table-deleted" Transition [Ec2::DeleteRouteTable, Ec2::DescribeVpcEndpoints];
        "a route table that an endpoint has can be deleted, and the endpoint has it no more"; [PublicLogs];
    QUOTA: "endpoint.quota" Quota [Ec2::CreateVpcEndpoint] "VpcEndpointLimitExceeded" => "The maximum number of VPC endpoints has been reached.";
        "a Region has 20 gateway endpoints"; [UserGuide, ErrorCodes];
    STATE: "endpoint.state" Transition [Ec2::CreateVpcEndpoint];
        "a gateway endpoint is pending for some seconds, then available"; [ServiceModel, PublicLogs];
    DELETING: "endpoint.deleting" Transition [Ec2::DeleteVpcEndpoints];
        "a gateway endpoint is deleting for some seconds, then it is gone; its routes are gone at once"; [ServiceModel, PublicLogs];
    DELETE_AGAIN: "endpoint.delete-again" Default [Ec2::DeleteVpcEndpoints];
        "deleting an endpoint that is deleting changes nothing"; [Experience];
}
