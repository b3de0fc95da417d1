//! Client tokens: what makes a call that is sent twice act once.

use super::macros::rules;

rules! {
    FORM: "token.form" Refusal [Ec2::RunInstances, Ec2::CreateNatGateway, Ec2::CreateRouteTable] "InvalidClientToken" => "The client token must be at most 64 ASCII characters.";
        "a client token has at most 64 ASCII characters; of CreateRouteTable that is assumed"; [ServiceModel, ErrorCodes];
    MISMATCH: "token.same-parameters" Refusal [Ec2::RunInstances, Ec2::CreateNatGateway, Ec2::CreateRouteTable] "IdempotentParameterMismatch" => "The provided client token was already used with different parameters. Use a different client token or the parameters of the first request.";
        "a client token that was used comes with the same parameters again"; [ErrorCodes];
    TERMINATED: "token.of-terminated-instance" Refusal [Ec2::RunInstances] "IdempotentInstanceTerminated" => "The client token is associated with a resource that is already terminated. Use a different client token.";
        "a client token whose instance is terminated launches nothing"; [ErrorCodes];
    REPEATED: "token.repeated" Default [Ec2::RunInstances, Ec2::CreateNatGateway, Ec2::CreateRouteTable];
        "the same call with the same client token makes nothing new and is answered with what the first one made; tokens are case-sensitive"; [ServiceModel, ErrorCodes];
}
