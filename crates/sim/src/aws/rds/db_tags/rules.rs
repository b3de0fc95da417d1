//! Rules of the tags of RDS, which are those of an ARN.

use crate::rules::macros::rules;

rules! {
    ARN: "db-tag.arn-form" Refusal [Rds::AddTagsToResource, Rds::RemoveTagsFromResource, Rds::ListTagsForResource] "InvalidParameterValue" => "Invalid resource name: {}";
        "objects of RDS are named by their ARN"; [ServiceModel, Experience];
    ELSEWHERE: "db-tag.arn-region" Refusal [Rds::AddTagsToResource, Rds::RemoveTagsFromResource, Rds::ListTagsForResource] "InvalidParameterValue" => "The specified resource name does not match an RDS resource in this region: {}";
        "the ARN is of this account and this Region"; [Experience];
    KIND: "db-tag.arn-kind" Unmodelled [Rds::AddTagsToResource, Rds::RemoveTagsFromResource, Rds::ListTagsForResource] "InvalidParameterValue" => "Invalid resource name, only db and subgrp are known: {}";
        "what has tags is a DB instance or a DB subnet group"; [Simulator];
    TEXT: "db-tag.text" Unmodelled [Rds::CreateDBInstance, Rds::CreateDBSubnetGroup, Rds::AddTagsToResource] "InvalidParameterValue" => "Tags are a map from text to text: {}";
        "tags are texts"; [Simulator];
    RESERVED: "db-tag.reserved-prefix" Refusal [Rds::CreateDBInstance, Rds::CreateDBSubnetGroup, Rds::AddTagsToResource] "InvalidParameterValue" => "Tag keys and values starting with 'aws:' or 'rds:' are reserved for internal use: {}";
        "neither key nor value begins with aws: or rds:, in whichever case"; [ServiceModel];
    KEY_LENGTH: "db-tag.key-length" Limit [Rds::CreateDBInstance, Rds::CreateDBSubnetGroup, Rds::AddTagsToResource] "InvalidParameterValue" => "Tag keys must be between 1 and 128 characters in length.";
        "a key has 1 to 128 characters"; [ServiceModel];
    VALUE_LENGTH: "db-tag.value-length" Limit [Rds::CreateDBInstance, Rds::CreateDBSubnetGroup, Rds::AddTagsToResource] "InvalidParameterValue" => "Tag values must be between 0 and 256 characters in length.";
        "a value has at most 256 characters; the service model says 1 at least, yet that a tag needs no value"; [ServiceModel, UserGuide];
    CHARACTERS: "db-tag.characters" Refusal [Rds::CreateDBInstance, Rds::CreateDBSubnetGroup, Rds::AddTagsToResource] "InvalidParameterValue" => "Invalid tag: '{}' contains characters other than letters, digits, white space and _.:/=+-@";
        "RDS takes fewer characters in tags than EC2"; [ServiceModel];
    QUOTA: "db-tag.quota" Limit [Rds::CreateDBInstance, Rds::CreateDBSubnetGroup, Rds::AddTagsToResource] "InvalidParameterValue" => "The maximum number of tags per resource has been exceeded.";
        "an object has at most 50 tags; the code is a guess"; [Documentation, Experience];
    ADDED: "db-tag.added" Transition [Rds::AddTagsToResource];
        "tags are added to those there, and replace those of the same key"; [ServiceModel];
    REMOVED: "db-tag.removed" Transition [Rds::RemoveTagsFromResource];
        "a key that is not there is removed without complaint"; [Experience];
}
