//! Volumes.

use crate::rules::macros::rules;

rules! {
    TYPE: "volume.type" Refusal [Ec2::RunInstances] "InvalidParameterValue" => "Invalid value '{}' for VolumeType.";
        "a volume is of a type that exists"; [ServiceModel];
    BOOT: "volume.boot-type" Refusal [Ec2::RunInstances] "InvalidBlockDeviceMapping" => "The volume type '{}' cannot be used for a root volume";
        "st1 and sc1 volumes are no root volumes"; [UserGuide];
    IOPS: "volume.iops" Refusal [Ec2::RunInstances] "MissingParameter" => "The parameter iops must be specified for {} volumes.";
        "io1 and io2 volumes need a rate of operations, which no call here has"; [ServiceModel];
    TOO_LARGE: "volume.largest" Limit [Ec2::RunInstances, Ec2::ModifyVolume] "InvalidParameterValue" => "Volume of {}GiB is too large for volume type {}; maximum is {}GiB";
        "a volume has at most 65536 GiB if it is gp3, 16384 if gp2, 1024 if standard"; [ServiceModel, PublicLogs];
    SIZE: "volume.size" Refusal [Ec2::ModifyVolume] "InvalidParameterValue" => "Volume size {} is invalid.";
        "a size is a number of GiB, at least 1"; [ServiceModel];
    SHRINKS: "volume.shrinks" Refusal [Ec2::ModifyVolume] "InvalidParameterValue" => "New size cannot be smaller than existing size";
        "a volume never shrinks; the size it has is no error"; [PublicLogs, ServiceModel];
    CREATING: "volume.creating" Refusal [Ec2::ModifyVolume] "IncorrectState" => "Volume '{}' is not in the 'in-use' or 'available' state.";
        "a volume that is being created cannot be changed"; [UserGuide, Experience];
    BUSY: "volume.busy" Refusal [Ec2::ModifyVolume] "IncorrectModificationState" => "Cannot modify volume '{}': its last modification is not completed.";
        "a volume is changed again when the last change is completed"; [ServiceModel, ErrorCodes];
    RATE: "volume.rate" Limit [Ec2::ModifyVolume] "VolumeModificationRateExceeded" => "You've reached the maximum modification rate per volume limit. Wait at least 6 hours between modifications per EBS volume.";
        "a volume is changed at most four times within 24 hours; until January 2026 once within 6 hours"; [ServiceModel, PublicLogs];
    ATTACHED: "volume.attached" Transition [Ec2::RunInstances];
        "a root volume is created, and in use while its instance is pending"; [ServiceModel];
    MODIFIED: "volume.modified" Transition [Ec2::ModifyVolume];
        "a change is modifying, then optimizing with the new size in effect, then completed"; [Recorded, ServiceModel, UserGuide];
}
