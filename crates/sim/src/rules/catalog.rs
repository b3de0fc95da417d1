//! What AWS offers: zones, instance types, images, parameters.

use super::macros::rules;

rules! {
    PARAMETER: "catalog.parameter" Refusal [Ssm::GetParameter] "ParameterNotFound" => "Parameter {} not found.";
        "a parameter exists; here those of Amazon Linux images do"; [ServiceModel];
    IMAGES_NAMED: "catalog.images-named" Unmodelled [Ec2::DescribeImages] "InvalidParameterValue" => "Images are listed by identifier only";
        "images are asked for by identifier; AWS would list every public one"; [Simulator];
    RESOLVED: "catalog.image-parameter" Unmodelled [Ec2::RunInstances] "InvalidParameterValue" => "An image is named by its identifier, not as {}";
        "a launch names an image by its identifier, not as resolve:ssm: and a parameter"; [Simulator];
    LOCATION: "catalog.location-type" Refusal [Ec2::DescribeInstanceTypeOfferings] "InvalidParameterValue" => "Value ({}) for parameter locationType is invalid.";
        "offerings are listed by region, availability-zone, availability-zone-id or outpost"; [ServiceModel];
    BY_ZONE: "catalog.offerings-by-zone" Unmodelled [Ec2::DescribeInstanceTypeOfferings] "InvalidParameterValue" => "Value ({}) for parameter locationType is not supported here. Use availability-zone.";
        "offerings are listed by availability zone only"; [Simulator];
    LOCAL_ZONES: "catalog.local-zones" Default [Ec2::DescribeAvailabilityZones];
        "local and wavelength zones that the account has opted in to are listed among the Region's own, and told by their type"; [Recorded, ServiceModel];
    ZONES: "catalog.zones" Default [Ec2::DescribeAvailabilityZones];
        "us-east-1 has the zones a to f, other Regions a to c; which zone a letter is differs between accounts"; [Moto];
    OFFERINGS: "catalog.offerings" Default [Ec2::DescribeInstanceTypeOfferings];
        "us-east-1e has no t3, and has t2"; [Moto];
}
