//! Where the state lives, as a directory's Terraform configuration says: `terraform { backend "s3" { … } }`, with what
//! `init -backend-config` adds. Read with the variables' reader, so that problems are shown the same way.
//!
//! Settings are those of Terraform 1.11. One that would change what happens and cannot be honoured is refused, never
//! ignored: a state that is kept elsewhere than everybody thinks is a second stack.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::structure::{Block, BlockLabel, Structure};
use serde::{Deserialize, Serialize};

use super::configuration::is_override;
use super::diagnostic::Diagnostic;
use super::hcl::{self, Reader};
use super::json;
use super::literal::{Entry, Fault, Kind, Literal};
use super::report::{Place, Problem, Report};
use super::source::Source;
use super::suggest::nearest;
use super::text::{Text, shown};
use crate::endpoint::{Endpoint, is_region};
use crate::workspace;

/// What a workspace other than `default` has before its name in the key of its state.
const WORKSPACE_KEY_PREFIX: &str = "env:";
/// How `init -backend-config` is called in messages.
const GIVEN_ORIGIN: &str = "-backend-config";
/// The state file of a directory, as Terraform has it.
pub const STATE_FILE: &str = "terraform.tfstate";
/// Where Terraform keeps the directories of workspaces.
const WORKSPACE_DIR: &str = "terraform.tfstate.d";
/// Settings of `backend "local"`.
const LOCAL_SETTINGS: [(&str, Use); 2] = [("path", Use::Taken), ("workspace_dir", Use::Taken)];
/// A setting whose value is more than a text.
const ENDPOINTS: &str = "endpoints";

/// A backend with its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// A file.
    Local(Local),
    /// An object in S3.
    S3(S3),
}

/// Settings of `backend "local"`; also what holds without a block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Local {
    /// The state file of the default workspace; `terraform.tfstate` if it is not said.
    pub path: Option<String>,
    /// Where the other workspaces have their directories; `terraform.tfstate.d` if it is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_dir: Option<String>,
}

impl Local {
    /// The state file of a workspace, as Terraform names it.
    pub fn state_path(&self, workspace: &str) -> String {
        if workspace == workspace::DEFAULT {
            return self.path.clone().unwrap_or_else(|| STATE_FILE.to_owned());
        }
        format!("{}/{workspace}/{STATE_FILE}", self.workspaces())
    }

    /// The directory of the directories of workspaces.
    pub fn workspaces(&self) -> &str {
        self.workspace_dir.as_deref().map_or(WORKSPACE_DIR, |directory| directory.trim_end_matches('/'))
    }
}

/// Settings of `backend "s3"`, under their names in Terraform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct S3 {
    /// The bucket; empty only if it was not needed ([`Need::Kind`]).
    pub bucket: String,
    /// The key of the state of the default workspace; empty only if it was not needed.
    pub key: String,
    /// Region of bucket and table.
    pub region: Option<String>,
    /// Named profile of the AWS configuration files.
    pub profile: Option<String>,
    /// Table of locks and digests.
    pub dynamodb_table: Option<String>,
    /// True to lock by an object beside the state.
    pub use_lockfile: bool,
    /// True to ask for encryption at rest by name.
    pub encrypt: bool,
    /// Key for it.
    pub kms_key_id: Option<String>,
    /// Canned access control list of the state.
    pub acl: Option<String>,
    /// Prefix of the keys of workspaces.
    pub workspace_key_prefix: Option<String>,
    /// Endpoints other than AWS's own, by service: `s3`, `dynamodb`, `sts`.
    pub endpoints: BTreeMap<String, String>,
    /// True for `https://host/bucket` instead of `https://bucket.host`.
    pub use_path_style: bool,
    /// True to send no checksum, for stores that do not know it.
    pub skip_s3_checksum: bool,
}

impl S3 {
    /// The key of the state of a workspace.
    pub fn state_key(&self, workspace: &str) -> String {
        if workspace == workspace::DEFAULT {
            return self.key.clone();
        }
        format!("{}{workspace}/{}", self.workspaces(), self.key)
    }

    /// What the keys of all workspaces but the default one begin with.
    pub fn workspaces(&self) -> String {
        format!("{}/", self.workspace_key_prefix.as_deref().unwrap_or(WORKSPACE_KEY_PREFIX))
    }

    /// The workspace whose state has this key; `None` if it is the key of something else, or of the default one.
    pub fn workspace_of<'a>(&self, key: &'a str) -> Option<&'a str> {
        let rest = key.strip_prefix(&self.workspaces())?;
        let name = rest.strip_suffix(&self.key)?.strip_suffix('/')?;
        Some(name).filter(|name| workspace::is_valid(name) && *name != workspace::DEFAULT)
    }
}

/// One `-backend-config`.
#[derive(Clone, PartialEq, Eq)]
pub enum Given {
    /// `KEY=VALUE`
    Setting(String),
    /// A file of settings: JSON if its name ends in `.json`, else HCL.
    File {
        /// Path, for messages.
        path: String,
        /// Contents.
        contents: String,
    },
}

/// Without the values, as any of them may be a credential.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(text) => f.debug_tuple("Setting").field(&text.split('=').next()).finish(),
            Self::File { path, contents: _ } => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// How much of a backend has to be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// All that it takes to reach the state.
    Whole,
    /// Which kind of backend it is: nobody is asked for the state. Bucket and key may be empty.
    Kind,
}

/// Where a setting came from and what it says.
struct Setting {
    place: Place,
    value: Literal,
}

/// How a setting is treated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Honoured.
    Taken,
    /// Allowed, and without effect here.
    Moot,
    /// Refused, with what to do instead.
    Refused(&'static str),
}

const BY_PROFILE: &str = "put it into a profile of ~/.aws/config, and name that with profile = \"…\" or AWS_PROFILE";
const BY_ENVIRONMENT: &str =
    "take it out: credentials belong in the environment or in a profile, not in files of a team";
const BY_FILES: &str = "set AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE instead";
const NOT_YET: &str = "aloka cannot honour it; take it out if the state can be reached without";

/// Every setting of Terraform's S3 backend.
const S3_SETTINGS: [(&str, Use); 48] = [
    ("bucket", Use::Taken),
    ("key", Use::Taken),
    ("region", Use::Taken),
    ("profile", Use::Taken),
    ("dynamodb_table", Use::Taken),
    ("use_lockfile", Use::Taken),
    ("encrypt", Use::Taken),
    ("kms_key_id", Use::Taken),
    ("acl", Use::Taken),
    ("workspace_key_prefix", Use::Taken),
    ("endpoints", Use::Taken),
    ("endpoint", Use::Taken),
    ("dynamodb_endpoint", Use::Taken),
    ("sts_endpoint", Use::Taken),
    ("use_path_style", Use::Taken),
    ("force_path_style", Use::Taken),
    ("skip_s3_checksum", Use::Taken),
    ("skip_credentials_validation", Use::Moot),
    ("skip_requesting_account_id", Use::Moot),
    ("skip_metadata_api_check", Use::Moot),
    ("skip_region_validation", Use::Moot),
    ("iam_endpoint", Use::Moot),
    ("max_retries", Use::Moot),
    ("retry_mode", Use::Moot),
    ("access_key", Use::Refused(BY_ENVIRONMENT)),
    ("secret_key", Use::Refused(BY_ENVIRONMENT)),
    ("token", Use::Refused(BY_ENVIRONMENT)),
    ("role_arn", Use::Refused(BY_PROFILE)),
    ("session_name", Use::Refused(BY_PROFILE)),
    ("external_id", Use::Refused(BY_PROFILE)),
    ("assume_role", Use::Refused(BY_PROFILE)),
    ("assume_role_duration_seconds", Use::Refused(BY_PROFILE)),
    ("assume_role_policy", Use::Refused(BY_PROFILE)),
    ("assume_role_policy_arns", Use::Refused(BY_PROFILE)),
    ("assume_role_with_web_identity", Use::Refused(BY_PROFILE)),
    ("shared_config_files", Use::Refused(BY_FILES)),
    ("shared_credentials_file", Use::Refused(BY_FILES)),
    ("shared_credentials_files", Use::Refused(BY_FILES)),
    ("allowed_account_ids", Use::Refused(NOT_YET)),
    ("forbidden_account_ids", Use::Refused(NOT_YET)),
    ("sse_customer_key", Use::Refused(NOT_YET)),
    ("custom_ca_bundle", Use::Refused("set AWS_CA_BUNDLE instead")),
    ("insecure", Use::Refused("set AWS_CA_BUNDLE to the certificate of the authority that the store uses")),
    ("use_fips_endpoint", Use::Refused("set AWS_USE_FIPS_ENDPOINT=true instead")),
    ("use_dualstack_endpoint", Use::Refused("set AWS_USE_DUALSTACK_ENDPOINT=true instead")),
    ("ec2_metadata_service_endpoint", Use::Refused("set AWS_EC2_METADATA_SERVICE_ENDPOINT instead")),
    ("ec2_metadata_service_endpoint_mode", Use::Refused("set AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE instead")),
    ("http_proxy", Use::Refused("set HTTPS_PROXY instead")),
];

/// Services whose endpoint is honoured, and those whose is allowed.
const ENDPOINT_SERVICES: [&str; 5] = ["s3", "dynamodb", "sts", "iam", "sso"];

/// Reads the backend block. `files` are the contents of the directory's `*.tf` files by path, in Terraform's order
/// ([`configuration::in_order`](super::configuration::in_order)); `given` are what `-backend-config` says, of which the
/// last of a key wins. Local without a block.
///
/// # Errors
/// Every problem found. No message holds a credential.
pub fn read(files: &[(String, String)], given: &[Given], need: Need) -> Result<Backend, Vec<Diagnostic>> {
    read_with(files, given, Over::Block, need)
}

/// The same with `given` below the block: it counts for what the block does not say.
///
/// # Errors
/// See [`read`].
pub fn complete(files: &[(String, String)], given: &[Given], need: Need) -> Result<Backend, Vec<Diagnostic>> {
    read_with(files, given, Over::Nothing, need)
}

/// What settings that are given come before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    /// What the block says.
    Block,
    /// Nothing that is said.
    Nothing,
}

fn read_with(files: &[(String, String)], given: &[Given], over: Over, need: Need) -> Result<Backend, Vec<Diagnostic>> {
    // Most files say nothing of it; what else is in them is Terraform's business.
    let files = files.iter().filter(|(_, contents)| contents.contains("backend") || contents.contains("cloud"));
    let mut sources: Vec<Source> =
        files.map(|(path, contents)| Source::File { path: path.clone(), contents: contents.clone() }).collect();
    let first_given = sources.len();
    sources.extend(given.iter().map(source_of));
    let mut texts: Vec<Text<'_>> = sources.iter().map(Text::new).collect();
    let mut finder = Finder { problems: Vec::new(), block: None };
    for (index, text) in texts.iter_mut().enumerate() {
        if index < first_given {
            finder.file(index, text);
        }
    }
    let Finder { mut problems, mut block } = finder;
    let mut settings = Vec::new();
    for (index, (text, given)) in texts.iter_mut().skip(first_given).zip(given).enumerate() {
        settings.extend(given_settings(first_given + index, text, given, &mut problems));
    }
    let is_local = |(name, _): &(String, Setting)| LOCAL_SETTINGS.iter().any(|(known, _)| known == name);
    if block.is_none() && settings.iter().all(is_local) {
        // Terraform takes them without a block, too.
        let place = settings.first().map(|(_, setting)| setting.place.clone());
        block = place.map(|place| Found { kind: "local".to_owned(), place, settings: BTreeMap::new() });
    }
    for (name, setting) in settings {
        match &mut block {
            Some(block) if over == Over::Block || !block.settings.contains_key(&name) => {
                block.settings.insert(name, setting);
            }
            Some(_) => {}
            None => problems.push(
                Problem::error(Some(&setting.place), "there is no backend block to add this setting to")
                    .hint("write terraform { backend \"s3\" {} } into a file such as provider.tf"),
            ),
        }
    }
    let backend = block.map_or(Some(Backend::Local(Local::default())), |block| block.read(need, &mut problems));
    if let Some(backend) = backend.filter(|_| problems.is_empty()) {
        return Ok(backend);
    }
    let mut report = Report::new(texts);
    problems.into_iter().for_each(|problem| report.push(problem));
    Err(report.finish())
}

fn source_of(given: &Given) -> Source {
    match given {
        Given::Setting(text) => Source::File { path: GIVEN_ORIGIN.to_owned(), contents: text.clone() },
        Given::File { path, contents } => Source::File { path: path.clone(), contents: contents.clone() },
    }
}

/// What is given as `KEY=VALUE`, each key once, with the value given last: to be recorded, and given again later without the
/// files. Settings that cannot be read are left out; [`read`] tells of them.
pub fn settings(given: &[Given]) -> Vec<String> {
    let mut last = BTreeMap::new();
    for given in given {
        let source = source_of(given);
        let mut text = Text::new(&source);
        for (name, setting) in given_settings(0, &mut text, given, &mut Vec::new()) {
            let value = match &setting.value.kind {
                Kind::Text(value) => Some(value.clone()),
                Kind::Null => Some(String::new()),
                Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Object(_) | Kind::Invalid => {
                    expression(&setting.value)
                }
            };
            last.extend(value.map(|value| (name, value)));
        }
    }
    last.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

/// A value on one line, as the command line takes it; `None` if a part of it could not be read.
fn expression(value: &Literal) -> Option<String> {
    let quoted = |text: &str| {
        let escaped = serde_json::Value::from(text).to_string();
        escaped.replace("${", "$${").replace("%{", "%%{")
    };
    Some(match &value.kind {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number(number) => number.clone(),
        Kind::Text(text) => quoted(text),
        Kind::List(items) => {
            let items: Vec<String> = items.iter().map(expression).collect::<Option<_>>()?;
            format!("[{}]", items.join(", "))
        }
        Kind::Object(entries) => {
            let entry = |entry: &Entry| Some(format!("{} = {}", quoted(&entry.name), expression(&entry.value)?));
            let entries: Vec<String> = entries.iter().map(entry).collect::<Option<_>>()?;
            format!("{{ {} }}", entries.join(", "))
        }
        Kind::Invalid => return None,
    })
}

/// The settings of one `-backend-config`, in their order.
fn given_settings(
    source: usize,
    text: &mut Text<'_>,
    given: &Given,
    problems: &mut Vec<Problem>,
) -> Vec<(String, Setting)> {
    match given {
        Given::Setting(setting) => match given_setting(source, text, setting, problems) {
            Ok(setting) => vec![setting],
            Err(problem) => {
                problems.push(*problem);
                Vec::new()
            }
        },
        Given::File { path, contents: _ } if path.ends_with(".json") => {
            let parsed = json::parse_file(&text.text, text.base);
            let entries = parsed.map(|parsed| parsed.entries).map_err(|fault| {
                text.mask_unparsed();
                problems.push(fault.told(source, ""));
            });
            let taken = |Entry { name, name_span, value }: Entry| {
                hide(text, &name, name_span.start..value.span.end);
                let place = Place { source, span: name_span, name: name.clone() };
                (name, Setting { place, value })
            };
            entries.unwrap_or_default().into_iter().map(taken).collect()
        }
        Given::File { .. } => match hcl::parse_body(&text.text, text.base) {
            Ok(body) => {
                let block = |span| {
                    let fault = Fault::new(span, "a block may not stand in a file of backend settings");
                    fault.hint("write name = value")
                };
                settings_of(source, text, body.iter(), Some(&block), problems)
            }
            Err(fault) => {
                text.mask_unparsed();
                problems.push(fault.told(source, ""));
                Vec::new()
            }
        },
    }
}

/// One `KEY=VALUE`.
fn given_setting(
    source: usize,
    text: &mut Text<'_>,
    given: &str,
    problems: &mut Vec<Problem>,
) -> Result<(String, Setting), Box<Problem>> {
    let Some((name, value)) = given.split_once('=') else {
        // It may be a credential whose name was forgotten.
        text.mask(0..given.len(), "");
        let place = Place { source, span: 0..given.len(), name: String::new() };
        let problem = Problem::error(Some(&place), "-backend-config needs KEY=VALUE, or a file")
            .hint("for example: -backend-config='bucket=my-terraform-state'");
        return Err(Box::new(problem));
    };
    let name = name.trim().to_owned();
    let start = given.len() - value.len();
    let unquoted = value.trim();
    let unquoted = unquoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(unquoted);
    hide(text, &name, 0..given.len());
    let place = Place { source, span: 0..given.len(), name: name.clone() };
    let value = if name == ENDPOINTS {
        let (value, faults) =
            hcl::parse_expression(given, start).map_err(|fault| Box::new(fault.told(source, &name)))?;
        problems.extend(faults.into_iter().map(|fault| fault.told(source, &name)));
        value
    } else {
        Literal { span: start..given.len(), kind: Kind::Text(unquoted.to_owned()) }
    };
    Ok((name, Setting { place, value }))
}

/// The attributes of a backend block, or of a file of settings, where a `block` is a fault.
fn settings_of<'a>(
    source: usize,
    text: &mut Text<'_>,
    body: impl Iterator<Item = &'a Structure>,
    block: Option<&dyn Fn(Range<usize>) -> Fault>,
    problems: &mut Vec<Problem>,
) -> Vec<(String, Setting)> {
    let mut reader = Reader::new(text.base);
    let place = |span, name: &str| Place { source, span, name: name.to_owned() };
    let mut settings = Vec::new();
    for structure in body {
        let (name, span, value) = match structure {
            Structure::Attribute(attribute) => {
                let value = reader.literal(&attribute.value);
                (attribute.key.as_str(), reader.span(attribute.key.span()), value)
            }
            Structure::Block(inner) => {
                let span = reader.span(inner_span(inner));
                if let Some(block) = block {
                    problems.push(block(span).told(source, ""));
                    continue;
                }
                // `assume_role { … }`, as older releases wrote it: the name says enough.
                (inner.ident.as_str(), span.clone(), Literal { span, kind: Kind::Invalid })
            }
        };
        hide(text, name, span.start..value.span.end);
        settings.push((name.to_owned(), Setting { place: place(span, name), value }));
    }
    for fault in reader.faults {
        let summary = format!("{} in a backend block", fault.summary.trim_end_matches(" here"));
        let name = settings.iter().find(|(_, setting)| {
            setting.value.span.start <= fault.span.start && fault.span.end <= setting.value.span.end
        });
        let at = place(fault.span.clone(), name.map_or("", |(name, _)| name.as_str()));
        let hint = "the state has to be found before variables are read: write the value itself, or give it with \
                    aloka init -backend-config";
        problems.push(Problem::error(Some(&at), summary).hint(hint));
    }
    settings
}

/// Hides the value of a setting that is a credential, or may be meant as one.
fn hide(text: &mut Text<'_>, name: &str, span: Range<usize>) {
    let credential = |name: &str| ["access_key", "secret_key", "token", "sse_customer_key"].contains(&name);
    let known = S3_SETTINGS.iter().any(|(known, _)| *known == name);
    if credential(name) || (!known && super::text::is_telling(name)) {
        text.mask(span, name);
    }
}

/// The block that was found.
struct Found {
    kind: String,
    place: Place,
    settings: BTreeMap<String, Setting>,
}

/// Looks through files for the one block.
struct Finder {
    problems: Vec<Problem>,
    block: Option<Found>,
}

impl Finder {
    fn file(&mut self, source: usize, text: &mut Text<'_>) {
        let nowhere = |span| Place { source, span, name: String::new() };
        if text.origin.ends_with(".json") {
            if says_backend(&text.text) {
                let place = nowhere(0..1);
                let problem = Problem::error(Some(&place), "a backend block in JSON is not read");
                self.problems.push(problem.hint("write it as terraform { backend \"s3\" { … } } into a .tf file"));
            }
            return;
        }
        let body = match hcl::parse_body(&text.text, text.base) {
            Ok(body) => body,
            Err(fault) => {
                text.mask_unparsed();
                let has_hint = fault.hint.is_some();
                let problem = fault.told(source, "");
                self.problems.push(match has_hint {
                    true => problem,
                    false => problem.detail("this file may say where the state lives, so it has to be read"),
                });
                return;
            }
        };
        for block in blocks(body.iter(), "terraform") {
            for inner in block.body.iter().filter_map(Structure::as_block) {
                match inner.ident.as_str() {
                    "backend" => self.backend(source, text, inner),
                    "cloud" => {
                        let span = Reader::new(text.base).span(inner_span(inner));
                        let problem = Problem::error(Some(&nowhere(span)), "a state in HCP Terraform is not supported");
                        self.problems.push(problem.hint("use backend \"s3\", or none for a local file"));
                    }
                    _ => {}
                }
            }
        }
    }

    fn backend(&mut self, source: usize, text: &mut Text<'_>, block: &Block) {
        let span = Reader::new(text.base).span(inner_span(block));
        let at = Place { source, span, name: String::new() };
        // An override file is there to put its own in the place of the other.
        if self.block.is_some() && !is_override(&text.origin) {
            let problem = Problem::error(Some(&at), "this is a second backend block");
            self.problems.push(problem.hint("a state lives in one place: remove one of the two"));
            return;
        }
        let kind = match block.labels.as_slice() {
            [BlockLabel::String(label)] => label.as_str().to_owned(),
            [BlockLabel::Ident(label)] => label.as_str().to_owned(),
            [] | [_, _, ..] => {
                let problem = Problem::error(Some(&at), "a backend block has one label, its type");
                self.problems.push(problem.hint("write backend \"s3\" { … }"));
                return;
            }
        };
        let settings = settings_of(source, text, block.body.iter(), None, &mut self.problems).into_iter().collect();
        self.block = Some(Found { kind, place: at, settings });
    }
}

fn inner_span(block: &Block) -> Option<Range<usize>> {
    block.ident.span()
}

fn blocks<'a>(structures: impl Iterator<Item = &'a Structure>, ident: &'static str) -> impl Iterator<Item = &'a Block> {
    structures.filter_map(Structure::as_block).filter(move |block| block.ident.as_str() == ident)
}

/// True if a configuration in JSON has a backend.
fn says_backend(text: &str) -> bool {
    let value: Result<serde_json::Value, _> = serde_json::from_str(text);
    let has = |terraform: &serde_json::Value| terraform.get("backend").is_some() || terraform.get("cloud").is_some();
    value.is_ok_and(|value| match value.get("terraform") {
        Some(serde_json::Value::Array(items)) => items.iter().any(has),
        Some(terraform) => has(terraform),
        None => false,
    })
}

impl Found {
    fn read(self, need: Need, problems: &mut Vec<Problem>) -> Option<Backend> {
        let Self { kind, place, settings } = self;
        let mut settings = Settings { settings, problems };
        match kind.as_str() {
            "local" => {
                let (path, workspace_dir) = (settings.text("path"), settings.text("workspace_dir"));
                settings.refuse_the_rest("local", &LOCAL_SETTINGS);
                Some(Backend::Local(Local { path, workspace_dir }))
            }
            "s3" => settings.s3(&place, need).map(Backend::S3),
            other => {
                let problem = Problem::error(Some(&place), format!("backend {} is not supported", shown(other)));
                settings.problems.push(problem.hint("the state can live in backend \"s3\", or in a local file"));
                None
            }
        }
    }
}

/// Takes one setting after the other.
struct Settings<'a> {
    settings: BTreeMap<String, Setting>,
    problems: &'a mut Vec<Problem>,
}

impl Settings<'_> {
    fn take(&mut self, name: &str) -> Option<Setting> {
        self.settings.remove(name).filter(|setting| !matches!(setting.value.kind, Kind::Null))
    }

    fn wrong(&mut self, setting: &Setting, name: &str, wanted: &str) {
        let kind = &setting.value.kind;
        if !matches!(kind, Kind::Invalid) {
            let at = Place { span: setting.value.span.clone(), ..setting.place.clone() };
            let summary = format!("{name} is {}, but must be {wanted}", kind.describe());
            self.problems.push(Problem::error(Some(&at), summary));
        }
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let setting = self.take(name)?;
        match &setting.value.kind {
            Kind::Text(text) if text.is_empty() => None,
            Kind::Text(text) => Some(text.clone()),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Object(_) | Kind::Invalid => {
                self.wrong(&setting, name, "a text in double quotes");
                None
            }
        }
    }

    fn flag(&mut self, name: &str) -> bool {
        let Some(setting) = self.take(name) else { return false };
        match &setting.value.kind {
            Kind::Bool(value) => *value,
            Kind::Text(text) if text == "true" || text == "false" || text.is_empty() => text == "true",
            Kind::Null | Kind::Text(_) | Kind::Number(_) | Kind::List(_) | Kind::Object(_) | Kind::Invalid => {
                self.wrong(&setting, name, "true or false");
                false
            }
        }
    }

    fn endpoints(&mut self) -> BTreeMap<String, String> {
        let mut endpoints = BTreeMap::new();
        // The older names of the same.
        for (name, service) in [("endpoint", "s3"), ("dynamodb_endpoint", "dynamodb"), ("sts_endpoint", "sts")] {
            endpoints.extend(self.text(name).map(|url| (service.to_owned(), url)));
        }
        let Some(setting) = self.take(ENDPOINTS) else { return endpoints };
        let Kind::Object(entries) = &setting.value.kind else {
            self.wrong(&setting, ENDPOINTS, "an object such as { s3 = \"https://…\" }");
            return endpoints;
        };
        for Entry { name, name_span, value } in entries {
            let at = |span: &Range<usize>| Place { span: span.clone(), ..setting.place.clone() };
            if !ENDPOINT_SERVICES.contains(&name.as_str()) {
                let problem = Problem::error(Some(&at(name_span)), format!("endpoints has no service {}", shown(name)));
                self.problems.push(problem.hint(format!("there are: {}", ENDPOINT_SERVICES.join(", "))));
                continue;
            }
            match &value.kind {
                Kind::Text(url) => {
                    endpoints.insert(name.clone(), url.clone());
                }
                Kind::Null | Kind::Invalid => {}
                Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Object(_) => {
                    let summary = format!("endpoints.{name} is {}, but must be a URL", value.kind.describe());
                    self.problems.push(Problem::error(Some(&at(&value.span)), summary));
                }
            }
        }
        endpoints
    }

    fn s3(&mut self, place: &Place, need: Need) -> Option<S3> {
        let (bucket, key) = (self.text("bucket"), self.text("key"));
        let missing = |value: &Option<String>| need == Need::Whole && value.is_none();
        let missing = [("bucket", missing(&bucket)), ("key", missing(&key))];
        for (name, _) in missing.into_iter().filter(|(_, missing)| *missing) {
            let problem = Problem::error(Some(place), format!("backend \"s3\" needs a {name}"));
            self.problems.push(problem.hint(format!(
                "add {name} = \"…\" to the block, or give it with: aloka init -backend-config='{name}=…', or \
                 -backend-config=FILE"
            )));
        }
        if let Some(key) = key.as_deref().filter(|key| key.starts_with('/') || key.ends_with('/')) {
            let summary = format!("key is {}, which begins or ends with a slash", shown(key));
            self.problems.push(Problem::error(Some(place), summary).hint("remove the slash"));
        }
        let region = self.text("region");
        // It becomes a part of host names.
        if let Some(region) = region.as_deref().filter(|region| !is_region(region)) {
            let summary = format!("region is {}, which is not the name of a Region", shown(region));
            self.problems.push(Problem::error(Some(place), summary).hint("write one such as us-east-1"));
        }
        let endpoints = self.endpoints();
        for (service, url) in endpoints.iter().filter(|(_, url)| Endpoint::parse(url).is_none()) {
            let summary = format!("the endpoint of {service} is {}, which is not a URL", shown(url));
            let problem = Problem::error(Some(place), summary);
            self.problems.push(problem.hint("write one such as https://s3.example.com, without a user name in it"));
        }
        let path_style = [self.flag("use_path_style"), self.flag("force_path_style")];
        let settings = S3 {
            bucket: bucket.unwrap_or_default(),
            key: key.unwrap_or_default(),
            region,
            profile: self.text("profile"),
            dynamodb_table: self.text("dynamodb_table"),
            use_lockfile: self.flag("use_lockfile"),
            encrypt: self.flag("encrypt"),
            kms_key_id: self.text("kms_key_id"),
            acl: self.text("acl"),
            workspace_key_prefix: self.text("workspace_key_prefix"),
            endpoints,
            use_path_style: path_style.contains(&true),
            skip_s3_checksum: self.flag("skip_s3_checksum"),
        };
        self.refuse_the_rest("s3", &S3_SETTINGS);
        Some(settings)
    }

    fn refuse_the_rest(&mut self, backend: &str, known: &[(&str, Use)]) {
        for (name, setting) in std::mem::take(&mut self.settings) {
            match known.iter().find(|(other, _)| *other == name).map(|(_, treated)| *treated) {
                Some(Use::Taken | Use::Moot) => {}
                Some(Use::Refused(hint)) => {
                    let summary = format!("{name} of backend \"{backend}\" is not supported");
                    self.problems.push(Problem::error(Some(&setting.place), summary).hint(hint));
                }
                None => {
                    let summary = format!("backend \"{backend}\" has no setting called {}", shown(&name));
                    let problem = Problem::error(Some(&setting.place), summary);
                    let near = nearest(&name, known.iter().map(|(name, _)| *name));
                    self.problems.push(match near {
                        Some(near) => problem.hint(format!("did you mean {near}?")),
                        None => problem,
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
