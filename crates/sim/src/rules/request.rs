//! Rules of every request: its parameters and filters.

use super::macros::rules;

rules! {
    UNKNOWN_PARAMETER: "request.unknown-parameter" Refusal [] "UnknownParameter" => "The parameter {} is not recognized";
        "a call has no parameters but its operation's own"; [ErrorCodes];
    NOT_PLAIN: "request.plain-values" Unmodelled [] "InvalidParameterValue" => "Value for parameter {} is not a plain value";
        "arguments are values, not references or secrets"; [Simulator];
    MISSING_PARAMETER: "request.missing-parameter" Refusal [] "MissingParameter" => "The request must contain the parameter {}";
        "a call of EC2 or RDS has every parameter its operation needs"; [ErrorCodes];
    MISSING_PARAMETER_JSON: "request.missing-parameter-json" Refusal [Ssm::GetParameter] "ValidationException" => "The request must contain the parameter {}";
        "a call of SSM or STS has every parameter its operation needs"; [Experience];
}
