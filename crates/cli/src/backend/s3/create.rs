//! `init -create-backend`: the bucket and the table of a backend, made or put right. Run twice, the second run changes
//! nothing.
//!
//! The bucket keeps versions, encrypts, cannot be made public and takes requests by TLS only. What else its owner has
//! set stays as it is.

use std::time::{Duration, Instant};

use aloka_core::api::ApiError;
use aloka_core::endpoint::partition;
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
    let s3 = sdk.s3().map_err(|error| place.failed("reach", error))?;
    let bucket = Bucket { sdk: &sdk, s3, name: &settings.bucket, place: &place };
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
    s3: aws_sdk_s3::Client,
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
        let request = self.s3.head_bucket().bucket(self.name);
        let look = async move { request.send().await.map(drop).map_err(api_error) };
        if self.look("look for the bucket of", &["NotFound", "NoSuchBucket", "HTTP404"], look)?.is_some() {
            return Ok(false);
        }
        let region = self.sdk.region.as_str();
        let there = BucketLocationConstraint::from(region);
        let elsewhere = CreateBucketConfiguration::builder().location_constraint(there).build();
        let request = self
            .s3
            .create_bucket()
            .bucket(self.name)
            .set_create_bucket_configuration((region != UNNAMED_REGION).then_some(elsewhere));
        let make = async move { request.send().await.map(drop).map_err(api_error) };
        let made = self.look("make the bucket of", &["BucketAlreadyOwnedByYou"], make)?;
        Ok(made.is_some())
    }

    fn keep_versions(&self) -> Result<bool, BackendError> {
        let request = self.s3.get_bucket_versioning().bucket(self.name);
        let status =
            self.wait("read the versioning of", async move { request.send().await.map_err(api_error) })?.status;
        if status == Some(BucketVersioningStatus::Enabled) {
            return Ok(false);
        }
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let request = self.s3.put_bucket_versioning().bucket(self.name).versioning_configuration(enabled);
        self.wait("keep versions of", async move { request.send().await.map(drop).map_err(api_error) })?;
        Ok(true)
    }

    fn encrypt(&self, kms_key_id: Option<String>) -> Result<bool, BackendError> {
        let request = self.s3.get_bucket_encryption().bucket(self.name);
        let look = async move { request.send().await.map_err(api_error) };
        let found = self.look("read the encryption of", &["ServerSideEncryptionConfigurationNotFoundError"], look)?;
        let rules = found.and_then(|found| found.server_side_encryption_configuration).map(|config| config.rules);
        let defaults: Vec<_> = rules
            .unwrap_or_default()
            .into_iter()
            .filter_map(|rule| rule.apply_server_side_encryption_by_default)
            .collect();
        let is_so = match &kms_key_id {
            Some(key) => defaults.iter().any(|default| {
                default.sse_algorithm() == &ServerSideEncryption::AwsKms && default.kms_master_key_id() == Some(key)
            }),
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
        let request = self.s3.put_bucket_encryption().bucket(self.name).server_side_encryption_configuration(config);
        self.wait("encrypt", async move { request.send().await.map(drop).map_err(api_error) })?;
        Ok(true)
    }

    fn block_public_access(&self) -> Result<bool, BackendError> {
        let request = self.s3.get_public_access_block().bucket(self.name);
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
        let request = self.s3.put_public_access_block().bucket(self.name).public_access_block_configuration(all);
        self.wait("block public access to", async move { request.send().await.map(drop).map_err(api_error) })?;
        Ok(true)
    }

    fn require_tls(&self) -> Result<bool, BackendError> {
        let request = self.s3.get_bucket_policy().bucket(self.name);
        let look = async move { request.send().await.map_err(api_error) };
        let found = self.look("read the policy of", &["NoSuchBucketPolicy"], look)?;
        let text = found.and_then(|found| found.policy).unwrap_or_default();
        let policy = with_tls_only(&text, self.name, partition(&self.sdk.region)).map_err(|problem| {
            self.place.failed("read the policy of", ApiError::answered("UnknownPolicy", problem, None))
        })?;
        let Some(policy) = policy else { return Ok(false) };
        let request = self.s3.put_bucket_policy().bucket(self.name).policy(policy);
        self.wait("set the policy of", async move { request.send().await.map(drop).map_err(api_error) })?;
        Ok(true)
    }
}

/// The policy with a statement that refuses plain HTTP to everybody, for everything; `None` if it has one. What only looks
/// like one, as it has an exception or is for some alone, is none.
///
/// # Errors
/// What it is, if it is no policy that a statement can be added to.
fn with_tls_only(policy: &str, bucket: &str, partition: &str) -> Result<Option<String>, String> {
    let [objects, itself] = ["/*", ""].map(|rest| format!("arn:{partition}:s3:::{bucket}{rest}"));
    let empty = || json!({ "Version": "2012-10-17", "Statement": [] });
    let read = |text| serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"));
    let mut policy = if policy.trim().is_empty() { empty() } else { read(policy)? };
    let statements = policy.get_mut("Statement").ok_or_else(|| "it has no Statement".to_owned())?;
    if !statements.is_array() {
        *statements = Value::Array(vec![statements.take()]);
    }
    let statements = statements.as_array_mut().ok_or_else(|| "its Statement is none".to_owned())?;
    if statements.iter().any(|statement| refuses_plain_http(statement, &itself, &objects)) {
        return Ok(None);
    }
    // No two may have the same name.
    statements.retain(|statement| statement.get("Sid").and_then(Value::as_str) != Some(TLS_ONLY));
    statements.push(json!({
        "Sid": TLS_ONLY,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [itself, objects],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    }));
    Ok(Some(policy.to_string()))
}

/// True if it refuses everything to everybody who comes without TLS, and has no part that could take something from that.
fn refuses_plain_http(statement: &Value, itself: &str, objects: &str) -> bool {
    let Value::Object(parts) = statement else { return false };
    let is_known =
        |name: &String| ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"].contains(&name.as_str());
    let part = |name: &str| parts.get(name).unwrap_or(&Value::Null);
    let is_all = |value: &Value, all: &[&str]| texts(value).iter().any(|text| all.contains(text));
    let principal = part("Principal");
    let everybody = principal == "*"
        || matches!(principal, Value::Object(map) if map.len() == 1 && map.get("AWS").is_some_and(|who| is_all(who, &["*"])));
    let insecure = [json!("false"), json!(false), json!(["false"]), json!([false])]
        .iter()
        .any(|no| part("Condition") == &json!({ "Bool": { "aws:SecureTransport": no } }));
    parts.keys().all(is_known)
        && part("Effect") == "Deny"
        && everybody
        && is_all(part("Action"), &["s3:*", "*"])
        && [itself, objects].iter().all(|resource| is_all(part("Resource"), &[resource, "*"]))
        && insecure
}

/// The texts of a part that may be one or a list.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
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

    fn added(policy: &str) -> Option<Value> {
        let added = with_tls_only(policy, "b", "aws").expect("a policy");
        added.map(|policy| serde_json::from_str(&policy).expect("JSON"))
    }

    #[test]
    fn a_policy_gets_one_statement_and_keeps_its_own() {
        let first = with_tls_only("", "b", "aws").expect("a policy").expect("it has none");
        assert_eq!(added(&first), None, "it has one now");
        let own = r#"{"Version":"2012-10-17","Statement":{"Sid":"Mine","Effect":"Allow","Action":"s3:GetObject"}}"#;
        let both = added(own).expect("it has none");
        assert_eq!(both["Statement"][0]["Sid"], "Mine");
        assert_eq!(both["Statement"][1]["Condition"]["Bool"]["aws:SecureTransport"], "false");
        assert_eq!(added(&both.to_string()), None);
        for none in ["{", "[]", "{}", "7", "{\"Version\":\"2012-10-17\"}"] {
            assert!(with_tls_only(none, "b", "aws").is_err(), "{none} is no policy, and nobody says it is so already");
        }
    }

    #[test]
    fn each_partition_has_names_of_its_own() {
        for name in ["aws", "aws-cn", "aws-us-gov"] {
            let made = with_tls_only("", "b", name).expect("a policy").expect("it has none");
            let made: Value = serde_json::from_str(&made).expect("JSON");
            let resources = [format!("arn:{name}:s3:::b"), format!("arn:{name}:s3:::b/*")];
            assert_eq!(made["Statement"][0]["Resource"], json!(resources));
        }
        let elsewhere = with_tls_only("", "b", "aws-cn").expect("a policy").expect("it has none");
        assert!(added(&elsewhere).is_some(), "the statement is about another bucket");
    }

    /// Each part of the statement, weakened: it is not taken for the whole, and the whole is added.
    #[test]
    fn a_statement_that_only_looks_like_it_is_none() {
        let whole = added("").expect("it has none")["Statement"][0].clone();
        let with = |change: &dyn Fn(&mut Value)| {
            let mut statement = whole.clone();
            statement["Sid"] = json!("Theirs");
            change(&mut statement);
            json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
        };
        let same: [&dyn Fn(&mut Value); 7] = [
            &|s| s["Action"] = json!("*"),
            &|s| s["Action"] = json!(["s3:GetObject", "s3:*"]),
            &|s| s["Resource"] = json!("*"),
            &|s| s["Resource"] = json!(["arn:aws:s3:::b/*", "arn:aws:s3:::b", "arn:aws:s3:::c"]),
            &|s| s["Principal"] = json!({ "AWS": "*" }),
            &|s| s["Principal"] = json!({ "AWS": ["*"] }),
            &|s| s["Condition"]["Bool"]["aws:SecureTransport"] = json!(["false"]),
        ];
        for change in same {
            assert_eq!(added(&with(change)), None, "{}", with(change));
        }
        let weaker: [&dyn Fn(&mut Value); 16] = [
            &|s| s["Effect"] = json!("Allow"),
            &|s| s["Action"] = json!("s3:PutObject"),
            &|s| s["Action"] = json!("s3:Get*"),
            &|s| s["Resource"] = json!("arn:aws:s3:::b/*"),
            &|s| s["Resource"] = json!("arn:aws:s3:::b"),
            &|s| s["Resource"] = json!(["arn:aws:s3:::c", "arn:aws:s3:::c/*"]),
            &|s| s["Principal"] = json!({ "AWS": "arn:aws:iam::123456789012:root" }),
            &|s| s["Principal"] = json!({ "Service": "*" }),
            &|s| s["Principal"] = json!({ "AWS": "*", "Service": "x" }),
            &|s| s["Condition"]["Bool"]["aws:SecureTransport"] = json!("true"),
            &|s| s["Condition"]["Bool"]["aws:ViaAWSService"] = json!("false"),
            &|s| s["Condition"]["StringNotEquals"] = json!({ "aws:PrincipalAccount": "1" }),
            &|s| s["Condition"] = json!({ "BoolIfExists": { "aws:SecureTransport": "false" } }),
            &|s| s["NotPrincipal"] = json!({ "AWS": "x" }),
            &|s| s["Condition"] = Value::Null,
            &|s| *s = json!("text"),
        ];
        for change in weaker {
            let policy = added(&with(change)).unwrap_or_else(|| panic!("taken for the whole: {}", with(change)));
            assert_eq!(policy["Statement"][1], whole);
        }
        // Our own by its name, and weakened: put right, as no two statements may have one name.
        let ours = with(&|s| (s["Sid"], s["Action"]) = (json!(TLS_ONLY), json!("s3:GetObject")));
        assert_eq!(added(&ours).expect("put right")["Statement"], json!([whole]));
    }
}
