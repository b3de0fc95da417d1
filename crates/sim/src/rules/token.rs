//! Client tokens: what makes a call that is sent twice act once.

use super::macros::rules;

rules! {
    FORM: "token.form" Refusal [RunInstances, CreateNatGateway, CreateRouteTable] "InvalidClientToken" => "The client token must be at most 64 ASCII characters.";
        "a client token has at most 64 ASCII characters; of CreateRouteTable that is assumed"; [ServiceModel, ErrorCodes];
    MISMATCH: "token.same-parameters" Refusal [RunInstances, CreateNatGateway, CreateRouteTable] "IdempotentParameterMismatch" => "The provided client token was already used with different parameters. Use a different client token or the parameters of the first request.";
        "a client token that was used comes with the same parameters again"; [ErrorCodes];
    TERMINATED: "token.of-terminated-instance" Refusal [RunInstances] "IdempotentInstanceTerminated" => "The client token is associated with a resource that is already terminated. Use a different client token.";
        "a client token whose instance is terminated launches nothing"; [ErrorCodes];
    REPEATED: "token.repeated" Default [RunInstances, CreateNatGateway, CreateRouteTable];
        "the same call with the same client token makes nothing new and is answered with what the first one made; tokens are case-sensitive"; [ServiceModel, ErrorCodes];
}
