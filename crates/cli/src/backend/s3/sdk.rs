//! The requests of an S3 backend, sent by the AWS SDK. One function for each, without decisions and without retries:
//! a write whose answer is lost has to be looked for, which the SDK would not do.
//!
//! The SDK is asynchronous, the backend is not: a thread of its own runs the SDK, and whoever asks waits for the answer.
//! So a lock is kept alive and a state is written while the executor's own loop goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use aloka_core::api::ApiError;
use aloka_core::endpoint::is_region;
use aloka_core::variables::backend;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ObjectCannedAcl, ServerSideEncryption};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::Place;
use super::owner::{Expect, Known, Owner};
use super::wire::{Condition, Item, Object, Wire};
use crate::backend::{BackendError, Version};
use crate::driver::aws::CONNECT_TIMEOUT;
use crate::driver::aws::error::{api_error, found, is_page, page};
use crate::driver::aws::https::{ANSWER_MAX, TooLong};
use crate::driver::aws::profile::{self, ProfileError};
use crate::rfc3339;

/// A state that is not there after this long counts as lost.
const STATE_TIMEOUT: Duration = Duration::from_secs(30);
/// The same for a lock or a digest, of which a lease has to hold several.
const SMALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The hash key of Terraform's table.
pub(super) const LOCK_ID: &str = "LockID";
/// What Terraform stores states and locks as.
const CONTENT_TYPE: &str = "application/json";
/// As many pages of keys are read, of a thousand each.
const PAGES_MAX: usize = 100;
/// Removing an object on a condition is younger than writing one: some stores answer with this status instead.
const NOT_IMPLEMENTED: u16 = 501;

/// Runs futures on a thread of its own.
pub(super) struct Loop {
    handle: Handle,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Loop {
    fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let run = move || {
            let _ended_or_dropped = runtime.block_on(ended);
        };
        let thread = std::thread::Builder::new().name("state store".to_owned()).spawn(run)?;
        Ok(Self { handle, end: Some(end), thread: Some(thread) })
    }

    /// What the future gives, if it does within `limit`.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        limit: Duration,
        future: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (answer, answered) = mpsc::channel();
        let _runs_by_itself = self.handle.spawn(async move {
            let result = tokio::time::timeout(limit, future).await;
            let late = |_| Err(ApiError::timeout(format!("no answer within {}s", limit.as_secs())));
            // Whoever asked waits until this is dropped.
            let _heard = answer.send(result.unwrap_or_else(late));
        });
        answered.recv().unwrap_or_else(|_| Err(ApiError::connection("the thread of the state store has ended")))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// How the state is stored.
#[derive(Clone, Debug)]
struct Storing {
    encryption: Option<ServerSideEncryption>,
    kms_key_id: Option<String>,
    acl: Option<ObjectCannedAcl>,
    checksum: Option<ChecksumAlgorithm>,
}

/// Clients of S3 and DynamoDB for one bucket and table.
pub(super) struct Sdk {
    pub(super) run: Loop,
    /// What requests about the bucket begin with, all but their owner.
    config: aws_sdk_s3::config::Builder,
    /// Made of it once the owner is known: without there is none.
    s3: OnceLock<aws_sdk_s3::Client>,
    owner: Arc<Owner>,
    credentials: Option<Arc<Known>>,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    /// The Region of both.
    pub(super) region: String,
    bucket: String,
    table: String,
    storing: Storing,
}

impl Sdk {
    /// Reads the environment and the shared configuration files; nothing is sent yet.
    pub(super) fn connect(settings: &backend::S3, place: &Place) -> Result<Self, BackendError> {
        let thread = |source| BackendError::Io { action: "start the driver of", path: place.describe().into(), source };
        let run = Loop::start().map_err(thread)?;
        let loader = settings.clone();
        let config = run.wait(STATE_TIMEOUT, async move { Ok(configuration(&loader).await) });
        let config = config.map_err(|error| place.failed("configure", error))?;
        let (config, credentials) = config.map_err(|error| BackendError::Remote {
            action: "reach",
            place: place.describe(),
            hint: Some(error.hint()),
            error: Box::new(ApiError::answered("NoProfile", error.to_string(), None)),
        })?;
        let region = config.region().map(ToString::to_string);
        if let Some(region) = region.as_ref().filter(|region| !is_region(region)) {
            let message = format!("the Region `{region}` of the state is none: its name becomes a part of host names");
            return Err(BackendError::Remote {
                action: "reach",
                place: place.describe(),
                error: Box::new(ApiError::answered("NoRegion", message, None)),
                hint: Some(
                    "correct region of the backend block, or AWS_REGION, or region of the AWS profile".to_owned(),
                ),
            });
        }
        let Some(region) = region else {
            let error = ApiError::answered("NoRegion", "no Region is set for the state", None);
            let hint = Some("add region = \"…\" to the backend block, or set AWS_REGION".to_owned());
            return Err(BackendError::Remote {
                action: "reach",
                place: place.describe(),
                error: Box::new(error),
                hint,
            });
        };
        let owner = Owner::new(settings, &config).map_err(|error| place.failed("configure", error))?;
        let mut s3 = aws_sdk_s3::config::Builder::from(&config)
            .retry_config(RetryConfig::disabled())
            .force_path_style(settings.use_path_style);
        // Without one, the environment and the configuration files have been heard already.
        if let Some(url) = settings.endpoints.get("s3") {
            s3 = s3.endpoint_url(url);
        }
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(&config).retry_config(RetryConfig::disabled());
        if let Some(url) = settings.endpoints.get("dynamodb") {
            dynamodb = dynamodb.endpoint_url(url);
        }
        let kms = settings.kms_key_id.is_some();
        let encryption = if kms { ServerSideEncryption::AwsKms } else { ServerSideEncryption::Aes256 };
        let storing = Storing {
            encryption: settings.encrypt.then_some(encryption),
            kms_key_id: settings.kms_key_id.clone().filter(|_| settings.encrypt),
            acl: settings.acl.as_deref().map(ObjectCannedAcl::from),
            checksum: (!settings.skip_s3_checksum).then_some(ChecksumAlgorithm::Sha256),
        };
        Ok(Self {
            run,
            config: s3,
            s3: OnceLock::new(),
            owner: Arc::new(owner),
            credentials,
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            region,
            bucket: settings.bucket.clone(),
            table: settings.dynamodb_table.clone().unwrap_or_default(),
            storing,
        })
    }

    /// The client of S3, each of whose requests names the account that the bucket has to belong to. The first time that is
    /// found out, which may take a request of its own.
    pub(super) fn s3(&self) -> Result<aws_sdk_s3::Client, ApiError> {
        if let Some(client) = self.s3.get() {
            return Ok(client.clone());
        }
        let (owner, credentials) = (Arc::clone(&self.owner), self.credentials.clone());
        let account = self.run.wait(STATE_TIMEOUT, async move { owner.find(credentials.as_deref()).await })?;
        let mut config = self.config.clone();
        if let Some(account) = account {
            config = config.interceptor(Expect(account));
        }
        Ok(self.s3.get_or_init(|| aws_sdk_s3::Client::from_conf(config.build())).clone())
    }
}

async fn configuration(settings: &backend::S3) -> Result<(SdkConfig, Option<Arc<Known>>), ProfileError> {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts);
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let config = profile::load(loader, settings.profile.as_deref(), "profile of the backend block").await?;
    let Some(provider) = config.credentials_provider() else { return Ok((config, None)) };
    let known = Arc::new(Known::new(provider));
    let provider = SharedCredentialsProvider::from(Arc::clone(&known) as Arc<dyn ProvideCredentials>);
    Ok((config.into_builder().credentials_provider(provider).build(), Some(known)))
}

/// The status and code of conditions that do not hold.
fn is_condition(error: &ApiError) -> bool {
    matches!(error.code.as_str(), "PreconditionFailed" | "HTTP412" | "ConditionalCheckFailedException")
}

fn is_missing(error: &ApiError) -> bool {
    matches!(error.code.as_str(), "NoSuchKey" | "NoSuchVersion" | "NotFound" | "HTTP404")
}

fn is_too_long(length: usize) -> bool {
    length > ANSWER_MAX
}

/// Certain, so that nobody asks again.
fn too_long(message: String) -> ApiError {
    ApiError::answered("TooLong", message, None)
}

/// Two conditional writes at once: S3 asks to try again.
fn settled(error: ApiError) -> ApiError {
    match error.code.as_str() {
        "ConditionalRequestConflict" | "HTTP409" | "OperationAborted" => ApiError::timeout(error.to_string()),
        _ => error,
    }
}

fn limit(key: &str) -> Duration {
    if key.ends_with(".tflock") { SMALL_TIMEOUT } else { STATE_TIMEOUT }
}

impl Wire for Sdk {
    fn get(&self, key: &str, version: Option<&str>) -> Result<Option<Object>, ApiError> {
        let request = self.s3()?.get_object().bucket(&self.bucket).key(key).set_version_id(version.map(str::to_owned));
        let answer = self.run.wait(limit(key), async move {
            let output = request.send().await.map_err(api_error)?;
            if let Some(length) =
                output.content_length().filter(|length| usize::try_from(*length).is_ok_and(is_too_long))
            {
                return Err(too_long(format!("it has {length} bytes, and no more than {ANSWER_MAX} are read")));
            }
            let tag = output.e_tag.unwrap_or_default();
            let metadata: BTreeMap<String, String> = output.metadata.unwrap_or_default().into_iter().collect();
            let modified = output.last_modified.and_then(|time| time.try_into().ok());
            let body = output.body.collect().await;
            let body = body.map_err(|error| match found::<TooLong>(&error) {
                Some(error) => too_long(error.to_string()),
                None => ApiError::connection(format!("the object ended early: {error}")),
            })?;
            let body = body.to_vec();
            // Neither a state nor a lock ever is one.
            if is_page(&body) {
                return Err(page());
            }
            Ok(Object { body, tag, metadata, modified })
        });
        match answer {
            Ok(object) => Ok(Some(object)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        metadata: BTreeMap<String, String>,
        condition: Condition<'_>,
    ) -> Result<Option<String>, ApiError> {
        let Storing { encryption, kms_key_id, acl, checksum } = self.storing.clone();
        let mut request = self
            .s3()?
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .body(ByteStream::from(body))
            .content_type(CONTENT_TYPE)
            .set_metadata(
                Some(metadata.into_iter().collect()).filter(|map: &std::collections::HashMap<_, _>| !map.is_empty()),
            )
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(kms_key_id)
            .set_acl(acl)
            .set_checksum_algorithm(checksum);
        request = match condition {
            Condition::Always => request,
            Condition::Absent => request.if_none_match("*"),
            Condition::Is(tag) => request.if_match(tag),
        };
        let answer = self.run.wait(limit(key), async move {
            let output = request.send().await.map_err(api_error)?;
            output.e_tag.ok_or_else(|| ApiError::timeout("the answer has no ETag"))
        });
        match answer {
            Ok(tag) => Ok(Some(tag)),
            // Nothing is there to match, or something else.
            Err(error) if is_condition(&error) || (is_missing(&error) && matches!(condition, Condition::Is(_))) => {
                Ok(None)
            }
            Err(error) => Err(settled(error)),
        }
    }

    fn delete(&self, key: &str, tag: &str) -> Result<bool, ApiError> {
        let request = self.s3()?.delete_object().bucket(&self.bucket).key(key);
        let conditional = request.clone().if_match(tag);
        let answer = self.run.wait(SMALL_TIMEOUT, async move {
            let Err(refused) = conditional.send().await else { return Ok(()) };
            if refused.raw_response().is_some_and(|raw| raw.status().as_u16() == NOT_IMPLEMENTED) {
                // As Terraform does it. What was read just before is what is removed, but for a moment.
                return request.send().await.map(drop).map_err(api_error);
            }
            Err(api_error(refused))
        });
        match answer {
            Ok(()) => Ok(true),
            Err(error) if is_condition(&error) || is_missing(&error) => Ok(false),
            Err(error) => Err(settled(error)),
        }
    }

    fn keys(&self, prefix: &str) -> Result<Vec<String>, ApiError> {
        let request = self.s3()?.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        self.run.wait(STATE_TIMEOUT, async move {
            let (mut keys, mut next) = (Vec::new(), None);
            for _ in 0..PAGES_MAX {
                let page = request.clone().set_continuation_token(next).send().await.map_err(api_error)?;
                keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
                next = page.next_continuation_token;
                if next.is_none() {
                    return Ok(keys);
                }
            }
            Err(too_long(format!("there are more than {PAGES_MAX} pages of keys of workspaces")))
        })
    }

    fn versions(&self, key: &str) -> Result<Vec<Version>, ApiError> {
        // Versions are listed by key, newest first; keys that go on after this one come later.
        let request = self.s3()?.list_object_versions().bucket(&self.bucket).prefix(key);
        let output = self.run.wait(STATE_TIMEOUT, async move { request.send().await.map_err(api_error) })?;
        let same = output.versions.unwrap_or_default().into_iter().filter(|version| version.key() == Some(key));
        let told = same.map(|version| Version {
            id: version.version_id().unwrap_or("null").to_owned(),
            written: version
                .last_modified()
                .and_then(|time| (*time).try_into().ok())
                .map_or_else(String::new, rfc3339::seconds),
            size: version.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            is_current: version.is_latest().unwrap_or_default(),
        });
        Ok(told.collect())
    }

    fn item(&self, id: &str, attribute: &'static str) -> Result<Option<Item>, ApiError> {
        let request = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .key(LOCK_ID, AttributeValue::S(id.to_owned()))
            .consistent_read(true);
        let output = self.run.wait(SMALL_TIMEOUT, async move { request.send().await.map_err(api_error) })?;
        Ok(output.item.map(|item| match item.get(attribute) {
            Some(AttributeValue::S(text)) => Item::Text(text.clone()),
            _ => Item::Formless,
        }))
    }

    fn put_item(
        &self,
        id: &str,
        attribute: &'static str,
        text: &str,
        condition: Condition<'_>,
    ) -> Result<bool, ApiError> {
        let request = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .item(LOCK_ID, AttributeValue::S(id.to_owned()))
            .item(attribute, AttributeValue::S(text.to_owned()));
        let request = match condition {
            Condition::Always => request,
            Condition::Absent => request.condition_expression("attribute_not_exists(LockID)"),
            Condition::Is(there) => request
                .condition_expression("#attribute = :there")
                .expression_attribute_names("#attribute", attribute)
                .expression_attribute_values(":there", AttributeValue::S(there.to_owned())),
        };
        let answer = self.run.wait(SMALL_TIMEOUT, async move { request.send().await.map(drop).map_err(api_error) });
        holds(answer)
    }

    fn delete_item(&self, id: &str, attribute: &'static str, there: &Item) -> Result<bool, ApiError> {
        let request = self
            .dynamodb
            .delete_item()
            .table_name(&self.table)
            .key(LOCK_ID, AttributeValue::S(id.to_owned()))
            .expression_attribute_names("#attribute", attribute);
        let request = match there {
            Item::Text(text) => request
                .condition_expression("#attribute = :there")
                .expression_attribute_values(":there", AttributeValue::S(text.clone())),
            Item::Formless => request
                .condition_expression("attribute_exists(LockID) AND NOT attribute_type(#attribute, :text)")
                .expression_attribute_values(":text", AttributeValue::S("S".to_owned())),
        };
        let answer = self.run.wait(SMALL_TIMEOUT, async move { request.send().await.map(drop).map_err(api_error) });
        holds(answer)
    }
}

/// Whether the condition held.
fn holds(answer: Result<(), ApiError>) -> Result<bool, ApiError> {
    match answer {
        Ok(()) => Ok(true),
        Err(error) if is_condition(&error) => Ok(false),
        Err(error) => Err(error),
    }
}
