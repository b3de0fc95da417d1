//! Instances after their launch.

use crate::rules::macros::rules;

rules! {
    IDS_MISSING: "instance.ids-missing" Refusal [Ec2::StopInstances, Ec2::StartInstances, Ec2::TerminateInstances] "MissingParameter" => "The request must contain the parameter InstanceId";
        "a call that changes states names at least one instance"; [Experience];
    RUNNING: "instance.running" Transition [Ec2::RunInstances];
        "a launched instance is pending and some time later running"; [ServiceModel, PublicLogs];
    FAILED: "instance.failed-launch" Transition [Ec2::RunInstances];
        "a launch that was accepted may fail: the instance goes from pending to terminated, and the state reason says why"; [UserGuide];
    ATTACHED: "instance.attached" Delay [Ec2::RunInstances, Ec2::StartInstances];
        "public address and volume show while the instance is pending, not in the answer to the launch"; [Experience];
    STOP_STATE: "instance.stop-state" Refusal [Ec2::StopInstances] "IncorrectInstanceState" => "The instance '{}' is not in a state from which it can be stopped.";
        "an instance that is pending, shutting down or terminated cannot be stopped; one that is stopped can"; [ErrorCodes, PublicLogs];
    PROTECTED_STOP: "instance.protected-stop" Refusal [Ec2::StopInstances] "OperationNotPermitted" => "The instance '{}' may not be stopped. Modify its '{}' instance attribute and try again.";
        "an instance whose owner turned on stop protection is not stopped"; [Recorded, UserGuide];
    STOPPED: "instance.stopped" Transition [Ec2::StopInstances];
        "an instance that is told to stop is stopping and some time later stopped; its public address is gone at once, its private one stays"; [Recorded, ServiceModel, UserGuide];
    START_STATE: "instance.start-state" Refusal [Ec2::StartInstances] "IncorrectInstanceState" => "The instance '{}' is not in a state from which it can be started.";
        "an instance that is pending, stopping, shutting down or terminated cannot be started; one that runs can"; [ErrorCodes, PublicLogs];
    STARTED: "instance.started" Transition [Ec2::StartInstances];
        "an instance that is started is pending, later running, and has another public address than before"; [UserGuide];
    TERMINATED: "instance.terminated" Transition [Ec2::TerminateInstances];
        "an instance that is told to terminate is shutting down and some time later terminated, without network and volumes; telling it again is no error"; [Recorded, ServiceModel, UserGuide, PublicLogs];
    PROTECTED_END: "instance.protected-end" Refusal [Ec2::TerminateInstances] "OperationNotPermitted" => "The instance '{}' may not be terminated. Modify its '{}' instance attribute and try again.";
        "an instance whose owner turned on termination protection, or stop protection, is not terminated; no permission overrides it"; [Recorded, UserGuide];
    LISTED: "instance.listed" Delay [Ec2::TerminateInstances];
        "a terminated instance is listed for an hour"; [UserGuide];
    VOLUME_ENDS: "instance.volume-ends" Transition [Ec2::TerminateInstances];
        "a volume that goes with its instance is gone when that is terminated; any other stays, available"; [UserGuide];
    INTERFACE_ENDS: "instance.interface-ends" Transition [Ec2::TerminateInstances];
        "an interface that goes with its instance is gone when that is terminated; any other stays in its subnet"; [Recorded, UserGuide];
    NO_ATTRIBUTE: "instance.no-attribute" Refusal [Ec2::ModifyInstanceAttribute] "InvalidParameterCombination" => "No attributes specified.";
        "a change names an attribute; an empty list of groups is none"; [PublicLogs];
    ONE_ATTRIBUTE: "instance.one-attribute" Refusal [Ec2::ModifyInstanceAttribute] "InvalidParameterCombination" => "Fields for multiple attribute types specified: {}";
        "a change is of one attribute"; [ServiceModel, PublicLogs];
    TYPE_STOPPED: "instance.type-stopped" Refusal [Ec2::ModifyInstanceAttribute] "IncorrectInstanceState" => "The instance '{}' is not in the 'stopped' state.";
        "the type of an instance changes while it is stopped"; [UserGuide, ErrorCodes];
    TYPE_ARCHITECTURE: "instance.type-architecture" Refusal [Ec2::ModifyInstanceAttribute] "InvalidParameterValue" => "Value ({}) for parameter instanceType is invalid. The architecture of the instance type does not match that of the image.";
        "the new type is of the image's architecture"; [UserGuide, Experience];
    GROUPS_STATE: "instance.groups-state" Refusal [Ec2::ModifyInstanceAttribute] "IncorrectInstanceState" => "The instance '{}' is not in a state from which it can be modified.";
        "an instance that is shutting down or terminated has no groups to change"; [ErrorCodes];
    GROUPS: "instance.groups" Transition [Ec2::ModifyInstanceAttribute];
        "the groups of a running instance change at once"; [TerraformProvider];
    PUBLIC_NAME: "instance.public-name" Default [Ec2::RunInstances, Ec2::ModifyVpcAttribute];
        "a public address has a name if the VPC has DNS hostnames and DNS support"; [UserGuide];
    PRIVATE_NAME: "instance.private-name" Default [Ec2::RunInstances];
        "a private address has a name, ip-10-0-1-4.ec2.internal in us-east-1"; [UserGuide];
}
