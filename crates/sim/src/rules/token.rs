//! Client tokens: what makes a creation that is sent twice one creation.

use super::macros::rules;

rules! {
    FORM: "token.form" Refusal [CreateNatGateway, CreateRouteTable, RunInstances] "InvalidClientToken" => "The client token must be at most 64 ASCII characters.";
        "a client token has at most 64 ASCII characters; of CreateRouteTable that is not documented"; [ErrorCodes, ServiceModel];
    PARAMETERS: "token.parameters" Refusal [CreateNatGateway, CreateRouteTable, RunInstances] "IdempotentParameterMismatch" => "The provided client token was already used with different parameters. Use a different client token or the parameters of the first request.";
        "a client token is used with the same parameters each time"; [ErrorCodes];
    REPEATED: "token.repeated" Default [CreateNatGateway, CreateRouteTable, RunInstances];
        "a creation with a client token that was used, and the same parameters, is answered with what the first one made"; [ServiceModel, ErrorCodes];
}
