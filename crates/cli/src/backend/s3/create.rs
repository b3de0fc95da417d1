//! `init -create-backend`: the bucket and the table of a backend, made or put right. Run twice, the second run changes
//! nothing.
//!
//! The bucket keeps versions, encrypts, cannot be made public and takes requests by TLS only. What else its owner has
//! set stays as it is.

use std::time::{Duration, Instant};

use aloka_core::api::ApiError;
use aloka_core::variables::backend;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, PublicAccessBlockConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    VersioningConfiguration,
};
use serde_json::{Value, json};

use super::sdk::{LOCK_ID, Sdk};
use super::{Place, S3Backend};
use crate::backend::BackendError;
use crate::driver::aws::error::api_error;

/// One request has to be answered within this.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A table has to be ready within this; seconds are usual.
const TABLE_READY: Duration = Duration::from_secs(120);
/// The Region that must not be named when a bucket is made in it.
const UNNAMED_REGION: &str = "us-east-1";
/// The name of the one statement that is added to the bucket's policy.
const TLS_ONLY: &str = "AlokaTlsOnly";

/// Makes what is missing, and tells each thing that was done or found, one line each.
///
/// # Errors
/// The first request that is refused; what was made before stays, and the next run goes on from there.
pub(crate) fn create(settings: &backend::S3, tell: &mut dyn FnMut(&str)) -> Result<(), BackendError> {
    let place = S3Backend::place(settings, "default");
    let sdk = Sdk::connect(settings, &place)?;
    let kms_key_id = settings.kms_key_id.clone();
    let bucket = Bucket { sdk: &sdk, name: &settings.bucket, place: &place };
    let done = |made: bool| if made { "made" } else { "was there already" };
    let set = |made: bool| if made { "set" } else { "was so already" };
    let name = &settings.bucket;
    tell(&format!("bucket {name}: {}", done(bucket.exist()?)));
    tell(&format!("bucket {name}: versions are kept: {}", set(bucket.keep_versions()?)));
    tell(&format!("bucket {name}: encryption by default: {}", set(bucket.encrypt(kms_key_id)?)));
    tell(&format!("bucket {name}: public access blocked: {}", set(bucket.block_public_access()?)));
    tell(&format!("bucket {name}: TLS only: {}", set(bucket.require_tls()?)));
    if let Some(table) = &settings.dynamodb_table {
        tell(&format!("table {table}: {}", done(make_table(&sdk, table, &place)?)));
    }
    Ok(())
}

struct Bucket<'a> {
    sdk: &'a Sdk,
    name: &'a str,
    place: &'a Place,
}

/// Each gives true if it had to do something.
impl Bucket<'_> {
    fn wait<T: Send + 'static>(
        &self,
        action: &'static str,
        future: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, BackendError> {
        self.sdk.run.wait(TIMEOUT, future).map_err(|error| self.place.failed(action, error))
    }

    /// A setting that may not be there: `None` for one of these codes.
    fn look<T: Send + 'static>(
        &self,
        action: &'static str,
        absent: &[&str],
        future: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<Option<T>, BackendError> {
        match self.sdk.run.wait(TIMEOUT, future) {
            Ok(found) => Ok(Some(found)),
            Err(error) if absent.contains(&error.code.as_str()) => Ok(None),
            Err(error) => Err(self.place.failed(action, error)),
        }
    }

    fn exist(&self) -> Result<bool, BackendError> {
        let request = self.sdk.s3.head_bucket().bucket(self.name);
        let look = async move { request.send().await.map(drop).map_err(api_error) };
        if self.look("look for the bucket of", &["NotFound", "NoSuchBucket", "HTTP404"], look)?.is_some() {
            return Ok(false);
        }
        let region = self.sdk.region.as_str();
        let there = BucketLocationConstraint::from(region);
        let elsewhere = CreateBucketConfiguration::builder().location_constraint(there).build();
        let request = self
            .sdk
            .s3
            .create_bucket()
            .bucket(self.name)
            .set_create_bucket_configuration((region != UNNAMED_REGION).then_some(elsewhere));
        let make = async move { request.send().await.map(drop).map_err(api_error) };
        let made = self.look("make the bucket of", &["BucketAlreadyOwnedByYou"], make)?;
        Ok(made.is_some())
    }

    fn keep_versions(&self) -> Result<bool, BackendError> {
        let request = self.sdk.s3.get_bucket_versioning().bucket(self.name);
        let status =
            self.wait("read the versioning of", async move { request.send().await.map_err(api_error) })?.status;
        if status == Some(BucketVersioningStatus::Enabled) {
            return Ok(false);
        }
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let request = self.sdk.s3.put_bucket_versioning().bucket(self.name).versioning_configuration(enabled);
        self.wait("keep versions of", async move { request.send().await.map(drop).map_err(api_error) })?;
        Ok(true)
    }

    fn encrypt(&self, kms_key_id: Option<String>) -> Result<bool, BackendError> {
        let request = self.sdk.s3.get_bucket_encryption().bucket(self.name);
        let look = async move { request.send().await.map_err(api_error) };
        let found = self.look("read the encryption of", &["ServerSideEncryptionConfigurationNotFoundError"], look)?;
        let rules = found.and_then(|found| found.server_side_encryption_configuration).map(|config| config.rules);
        let defaults: Vec<_> = rules
            .unwrap_or_default()
            .into_iter()
            .filter_map(|rule| rule.apply_server_side_encryption_by_default)
            .collect();
        let is_so = match &kms_key_id {
            Some(key) => defaults.iter().any(|default| default.kms_master_key_id() == Some(key)),
            None => !defaults.is_empty(),
        };
        if is_so {
            return Ok(false);
        }
        let kms = kms_key_id.is_some();
        let algorithm = if kms { ServerSideEncryption::AwsKms } else { ServerSideEncryption::Aes256 };
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(algorithm)
            .set_kms_master_key_id(kms_key_id)
            .build()
            .map_err(|error| {
                self.place.failed("encrypt", ApiError::answered("InvalidParameterValue", error.to_string(), None))
            })?;
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(kms)
            .build();
        let config = ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(|error| {
            self.place.failed("encrypt", ApiError::answered("InvalidParameterValue", error.to_string(), None))
        })?;
        let request =
            self.sdk.s3.put_bucket_encryption().bucket(self.name).server_side_encryption_configuration(config);
        self.wait("encrypt", async move { request.send().await.map(drop).map_err(api_error) })?;
        Ok(true)
    }

    fn block_public_access(&self) -> Result<bool, BackendError> {
        let request = self.sdk.s3.get_public_access_block().bucket(self.name);
        let look = async move { request.send().await.map_err(api_error) };
        let found = self.look("read the public access of", &["NoSuchPublicAccessBlockConfiguration"], look)?;
        let all = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        if found.and_then(|found| found.public_access_block_configuration).as_ref() == Some(&all) {
            return Ok(false);
        }
        let request = self.sdk.s3.put_public_access_block().bucket(self.name).public_access_block_configuration(all);
        self.wait("block public access to", async move { request.send().await.map(drop).map_err(api_error) })?;
        Ok(true)
    }

    fn require_tls(&self) -> Result<bool, BackendError> {
        let request = self.sdk.s3.get_bucket_policy().bucket(self.name);
        let look = async move { request.send().await.map_err(api_error) };
        let found = self.look("read the policy of", &["NoSuchBucketPolicy"], look)?;
        let text = found.and_then(|found| found.policy).unwrap_or_default();
        let Some(policy) = with_tls_only(&text, self.name) else { return Ok(false) };
        let request = self.sdk.s3.put_bucket_policy().bucket(self.name).policy(policy);
        self.wait("set the policy of", async move { request.send().await.map(drop).map_err(api_error) })?;
        Ok(true)
    }
}

/// The policy with a statement that refuses plain HTTP; `None` if it has one, or is none that could be added to.
fn with_tls_only(policy: &str, bucket: &str) -> Option<String> {
    let statement = json!({
        "Sid": TLS_ONLY,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    let empty = || json!({ "Version": "2012-10-17", "Statement": [] });
    let mut policy = if policy.trim().is_empty() { empty() } else { serde_json::from_str(policy).ok()? };
    let statements = policy.get_mut("Statement")?;
    if !statements.is_array() {
        *statements = Value::Array(vec![statements.take()]);
    }
    let statements = statements.as_array_mut()?;
    let insecure = |statement: &Value| statement.pointer("/Condition/Bool/aws:SecureTransport").cloned();
    let refuses = |statement: &Value| {
        let denied = statement.get("Effect").and_then(Value::as_str) == Some("Deny");
        denied && insecure(statement).is_some_and(|value| value == json!("false") || value == json!(false))
    };
    if statements.iter().any(refuses) {
        return None;
    }
    statements.push(statement);
    Some(policy.to_string())
}

/// The table of locks and digests, as Terraform wants it. True if it had to be made.
fn make_table(sdk: &Sdk, table: &str, place: &Place) -> Result<bool, BackendError> {
    let failed = |error: ApiError| place.failed("make the table of", error);
    let began = Instant::now();
    let mut made = false;
    loop {
        let request = sdk.dynamodb.describe_table().table_name(table);
        let found = sdk.run.wait(TIMEOUT, async move { request.send().await.map_err(api_error) });
        match found {
            Ok(found) => {
                let found = found.table.unwrap_or_else(|| aws_sdk_dynamodb::types::TableDescription::builder().build());
                let key = |schema: &KeySchemaElement| {
                    schema.attribute_name() == LOCK_ID && *schema.key_type() == KeyType::Hash
                };
                let schema = found.key_schema();
                if !matches!(schema, [only] if key(only)) {
                    let message = format!("table {table} is there, but its key is not {LOCK_ID} alone");
                    return Err(failed(ApiError::answered("WrongTable", message, None)));
                }
                if found.table_status() == Some(&TableStatus::Active) {
                    return Ok(made);
                }
                if began.elapsed() > TABLE_READY {
                    let message = format!("table {table} is not active after {}s", TABLE_READY.as_secs());
                    return Err(failed(ApiError::timeout(message)));
                }
                std::thread::sleep(Duration::from_secs(1));
            }
            Err(error) if error.code == "ResourceNotFoundException" && !made => {
                made = true;
                create_table(sdk, table).map_err(failed)?;
            }
            // Just made, and not to be seen yet.
            Err(error) if error.code == "ResourceNotFoundException" && began.elapsed() < TABLE_READY => {
                std::thread::sleep(Duration::from_secs(1));
            }
            Err(error) => return Err(failed(error)),
        }
    }
}

fn create_table(sdk: &Sdk, table: &str) -> Result<(), ApiError> {
    let wrong = |error: aws_sdk_dynamodb::error::BuildError| {
        ApiError::answered("InvalidParameterValue", error.to_string(), None)
    };
    let attribute =
        AttributeDefinition::builder().attribute_name(LOCK_ID).attribute_type(ScalarAttributeType::S).build();
    let key = KeySchemaElement::builder().attribute_name(LOCK_ID).key_type(KeyType::Hash).build();
    let request = sdk
        .dynamodb
        .create_table()
        .table_name(table)
        .attribute_definitions(attribute.map_err(wrong)?)
        .key_schema(key.map_err(wrong)?)
        .billing_mode(BillingMode::PayPerRequest);
    let answer = sdk.run.wait(TIMEOUT, async move { request.send().await.map(drop).map_err(api_error) });
    match answer {
        // Somebody else makes it at the same time.
        Err(error) if error.code == "ResourceInUseException" => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_gets_one_statement_and_keeps_its_own() {
        let first = with_tls_only("", "b").expect("it has none");
        assert_eq!(with_tls_only(&first, "b"), None, "it has one now");
        let own = r#"{"Version":"2012-10-17","Statement":{"Sid":"Mine","Effect":"Allow","Action":"s3:GetObject"}}"#;
        let both: Value = serde_json::from_str(&with_tls_only(own, "b").expect("it has none")).expect("JSON");
        assert_eq!(both["Statement"][0]["Sid"], "Mine");
        assert_eq!(both["Statement"][1]["Condition"]["Bool"]["aws:SecureTransport"], "false");
        // One that allows it over TLS refuses nothing.
        let allows =
            own.replace("\"Action\"", "\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"false\"}},\"Action\"");
        assert!(with_tls_only(&allows, "b").is_some());
    }
}
