//! The command line as clap reads it. What the flags mean together is decided by [`crate::request`].

pub mod certify;
pub mod receipts;
mod text;
pub mod workspace;

use std::ffi::OsString;
use std::path::PathBuf;

use aloka_sim::fault::{FaultError, FaultPlan};
use clap::{Arg, ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use self::text::{EXIT_CODES, SIMULATE_EXAMPLES};

/// Provisions a web stack on AWS from one binary, and rehearses it offline first.
///
/// aloka reads the same terraform.tfvars and writes the same state as the Terraform configuration it replaces. Its
/// plan is the list of exact API calls; apply sends nothing else.
#[derive(Debug, Parser)]
#[command(name = "aloka", after_help = EXIT_CODES, disable_help_subcommand = true, max_term_width = 110)]
pub struct Cli {
    /// Switch to this directory first
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub chdir: Option<PathBuf>,
    /// Which cloud to talk to: the simulated one needs no account
    #[arg(long, global = true, value_enum, env = "ALOKA_CLOUD", hide_env = true, help_heading = "Global options")]
    pub cloud: Option<CloudArg>,
    /// Write no colours
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_color: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A cloud to talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CloudArg {
    /// The built-in simulated AWS, kept in a file beside the state
    Sim,
    /// AWS, or the endpoint AWS_ENDPOINT_URL names
    Aws,
}

impl CloudArg {
    /// As on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Aws => "aws",
        }
    }
}

/// The commands, in the order they are used.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check this directory and say where the state lives
    ///
    /// Downloads nothing and needs not be run: every other command works without it, but where a state has to be moved
    /// or a backend block is not complete. The block is that of Terraform: backend "s3" in any .tf file.
    #[command(
        after_help = "Examples:\n  aloka init -example           also write an example terraform.tfvars\n  aloka init \
                            -create-backend    make the bucket and the table of backend \"s3\"\n  aloka init \
                            -backend-config='bucket=my-terraform-state'\n  aloka init -migrate-state     move the \
                            state there"
    )]
    Init(InitArgs),
    /// Check the variables without asking AWS
    #[command(after_help = "Example:\n  aloka validate -json")]
    Validate(ValidateArgs),
    /// Show what apply would change
    #[command(after_help = "Examples:\n  aloka plan -out=tfplan\n  aloka plan -detailed-exitcode -var \
                            'app_instance_type=t3.medium'\n  aloka plan -calls        every API call, in order")]
    Plan(PlanArgs),
    /// Make AWS as the variables say, or run a saved plan
    #[command(
        after_help = "Examples:\n  aloka apply\n  aloka apply -auto-approve\n  aloka apply tfplan\n  aloka apply \
                            -allow-data-loss=aloka-dev-db    let the plan destroy this database"
    )]
    Apply(ApplyArgs),
    /// Destroy everything the state records (apply -destroy)
    #[command(after_help = "Example:\n  aloka destroy -allow-data-loss=aloka-dev-db")]
    Destroy(DestroyArgs),
    /// Update the state from what AWS says (apply -refresh-only -auto-approve)
    #[command(after_help = "Example:\n  aloka refresh")]
    Refresh(RefreshArgs),
    /// Print the outputs of the last apply
    #[command(after_help = "Examples:\n  aloka output\n  aloka output -raw app_public_ip\n  aloka output -json")]
    Output(OutputArgs),
    /// Show the state, or a saved plan
    #[command(after_help = "Examples:\n  aloka show\n  aloka show -json tfplan")]
    Show(ShowArgs),
    /// Look into the state, mend it, find a lost one again
    #[command(
        subcommand,
        after_help = "Examples:\n  aloka state list\n  aloka state show aws_instance.app\n  \
                                        aloka state recover"
    )]
    State(StateCommand),
    /// List, choose, make and remove workspaces, each with a state of its own
    #[command(
        subcommand,
        after_help = "Examples:\n  aloka workspace list\n  aloka workspace new staging\n  aloka workspace select default"
    )]
    Workspace(workspace::WorkspaceCommand),
    /// Record one object that exists under an address of the stack
    #[command(after_help = "Examples:\n  aloka import 'module.vpc.aws_vpc.this[0]' vpc-0652556f75e48c392\n  \
                            aloka import aws_db_instance.postgres aloka-dev-db\n  \
                            aloka import 'module.vpc.aws_route.private_nat_gateway[0]' rtb-0a1b2c3d4e5f60718_0.0.0.0/0")]
    Import(ImportArgs),
    /// Record the whole stack in a VPC that somebody else made, or claim what the state records
    ///
    /// With -vpc, recognises each object by the tags of aloka or by its place in the VPC, says what it took for what, and
    /// records it. What does not fit is left alone. With -from-state, claims objects that Terraform recorded, so that
    /// aloka may replace and destroy them. Nothing is changed in AWS.
    #[command(after_help = "Examples:\n  aloka adopt -vpc=vpc-0652556f75e48c392 -dry-run\n  \
                            aloka adopt -from-state 'module.vpc.aws_subnet.public[2]'")]
    Adopt(AdoptArgs),
    /// Remove a lock that a run left behind
    #[command(after_help = "Example:\n  aloka force-unlock e56561b6-cc55-e362-5fe9-07948dc0c55e")]
    ForceUnlock(ForceUnlockArgs),
    /// Print the dependency graph of the stack
    #[command(after_help = "Examples:\n  aloka graph | dot -Tsvg > graph.svg\n  aloka graph -type=mermaid")]
    Graph(GraphArgs),
    /// Rehearse create, re-plan, change and destroy on a simulated AWS
    ///
    /// Works in an empty directory: variables that are not given have their defaults, and the password one that is
    /// made up. Nothing is sent anywhere and nothing is written, unless -keep or -trace is given. Exits with 0 only if
    /// every promise was held, every fault asked for struck, and plain runs put right what it did.
    #[command(after_help = SIMULATE_EXAMPLES)]
    Simulate(SimulateArgs),
    /// Tell what runs on AWS told of AWS: what was different, how long it took
    #[command(
        subcommand,
        after_help = "Examples:\n  aloka apply -receipt=apply.jsonl\n  aloka receipts check apply.jsonl\n  aloka receipts \
                      durations apply.jsonl"
    )]
    Receipts(receipts::ReceiptsCommand),
    /// Live through everything in a sandbox account on AWS, and tell what AWS did that the simulated one would not
    ///
    /// Plans, makes, changes, damages, kills its own runs half way, and destroys, each by this program, in an account that
    /// holds nothing of the project; then lays the receipts of all of it beside the simulated AWS. Tells before what it
    /// takes and costs. Destroys what it made even if it fails or is stopped. Exits with 0 if nothing is different, with 2
    /// if something is, with 1 if a step failed.
    #[command(after_help = "Examples:\n  aloka certify -account=123456789012 -max-cost=2\n  aloka -cloud=sim certify \
                            -account=123456789012 -max-cost=2 -auto-approve")]
    Certify(certify::CertifyArgs),
    /// List the variables: types, defaults, what they are for
    #[command(after_help = "Examples:\n  aloka variables\n  aloka variables -json")]
    Variables(VariablesArgs),
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  aloka completions bash > /etc/bash_completion.d/aloka")]
    Completions(CompletionsArgs),
    /// Print the version
    #[command(after_help = "Example:\n  aloka version -json")]
    Version(VersionArgs),
}

/// `-var` and `-var-file`, kept in the order given: the last one wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariableArgs {
    /// In the order of the command line.
    pub given: Vec<GivenVariable>,
}

/// One `-var` or `-var-file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenVariable {
    /// `name=value`
    Var(String),
    /// A file of values.
    File(PathBuf),
}

impl Args for VariableArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        command
            .arg(
                Arg::new("var")
                    .long("var")
                    .value_name("NAME=VALUE")
                    .action(ArgAction::Append)
                    .help("Set a variable; may be repeated, the last one wins"),
            )
            .arg(
                Arg::new("var-file")
                    .long("var-file")
                    .value_name("FILE")
                    .action(ArgAction::Append)
                    .value_parser(clap::value_parser!(PathBuf))
                    .help("Read variables from a file as well; may be repeated"),
            )
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for VariableArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let places = |id: &str| matches.indices_of(id).into_iter().flatten().collect::<Vec<_>>();
        let vars = matches.get_many::<String>("var").into_iter().flatten().cloned().map(GivenVariable::Var);
        let files = matches.get_many::<PathBuf>("var-file").into_iter().flatten().cloned().map(GivenVariable::File);
        let mut placed: Vec<(usize, GivenVariable)> =
            places("var").into_iter().zip(vars).chain(places("var-file").into_iter().zip(files)).collect();
        placed.sort_by_key(|(place, _)| *place);
        Ok(Self { given: placed.into_iter().map(|(_, given)| given).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// How the state is locked.
#[derive(Clone, Debug, Default, Args)]
pub struct LockArgs {
    /// Hold the state lock meanwhile [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub lock: Option<bool>,
    /// How long to wait for the state lock, such as 30s or 5m [default: 0s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub lock_timeout: Option<std::time::Duration>,
}

impl LockArgs {
    /// How long to wait for the lock; `None` to go without.
    pub fn wait(&self) -> Option<std::time::Duration> {
        self.lock.unwrap_or(true).then(|| self.lock_timeout.unwrap_or_default())
    }
}

/// Flags that apply and plan share.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// `-var` and `-var-file`.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// Choose machine image and database engine version anew
    #[arg(long)]
    pub upgrade: bool,
    /// Ask questions [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub input: Option<bool>,
    /// `-lock` and `-lock-timeout`.
    #[command(flatten)]
    pub lock: LockArgs,
    /// Write one JSON object a line, as Terraform does
    #[arg(long)]
    pub json: bool,
    /// Show only the first line of each warning
    #[arg(long)]
    pub compact_warnings: bool,
    /// Show every object of a group and every object that is kept
    #[arg(long)]
    pub verbose: bool,
    /// Write what is sent, answered and when to this file, without secrets and identifiers. A receipt or an empty file is
    /// overwritten, nothing else
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,
    /// What may be done that is refused otherwise.
    #[command(flatten)]
    pub consent: ConsentArgs,
}

/// Flags that let a plan do what is refused without them.
#[derive(Debug, Args)]
pub struct ConsentArgs {
    /// Let this object be replaced although nothing says that it is this state's; may be repeated. A database needs
    /// -allow-data-loss besides
    #[arg(long, value_name = "ADDRESS")]
    pub allow_replace: Vec<String>,
    /// Let this object of somebody else lose its route, gateway or table; may be repeated. `unknown` stands for what may
    /// not be read
    #[arg(long, value_name = "ID")]
    pub allow_cutting_off: Vec<String>,
    /// Keep this object, and all it needs, when everything else is destroyed; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub exclude: Vec<String>,
    /// Build a new stack although the state records one at other addresses
    #[arg(long)]
    pub beside: bool,
}

/// What a plan is for.
#[derive(Debug, Args)]
pub struct ModeArgs {
    /// Plan to destroy everything the state records
    #[arg(long, conflicts_with = "refresh_only")]
    pub destroy: bool,
    /// Only record what AWS says, change nothing there
    #[arg(long)]
    pub refresh_only: bool,
}

/// `aloka init`
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Write an example terraform.tfvars, unless there is one
    #[arg(long)]
    pub example: bool,
    // Scripts written for Terraform pass these; there is nothing to ask or to download.
    /// Without effect
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub input: Option<bool>,
    /// Without effect
    #[arg(long, hide = true)]
    pub upgrade: bool,
    /// If false, leave the backend alone, and check the directory without it [default: true]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          conflicts_with_all = ["create_backend", "migrate_state", "reconfigure"])]
    pub backend: Option<bool>,
    /// Set this of the backend block as well, such as bucket=my-terraform-state, or all that a file sets; may be
    /// repeated, the last one wins
    #[arg(long, value_name = "KEY=VALUE|FILE")]
    pub backend_config: Vec<String>,
    /// Make bucket and table of the backend, or put them right: versions, encryption, no public access, TLS only
    #[arg(long)]
    pub create_backend: bool,
    /// Move the state to where the configuration says, from where it was before; the old copy is kept
    #[arg(long, conflicts_with = "reconfigure")]
    pub migrate_state: bool,
    /// Take what is there already where the configuration says, and forget where the state was before
    #[arg(long)]
    pub reconfigure: bool,
    /// How long to wait for the state locks of a move, such as 30s or 5m [default: 0s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub lock_timeout: Option<std::time::Duration>,
}

/// `aloka validate`
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// `-var` and `-var-file`.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// `aloka plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What it is for.
    #[command(flatten)]
    pub mode: ModeArgs,
    /// Save the plan to this file, to be run by apply. A saved plan or an empty file is overwritten, nothing else
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 if there are changes, 0 if there are none
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Show the plan as API calls, in order of execution
    #[arg(long)]
    pub calls: bool,
    /// Flags that plan and apply share.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `aloka apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// A plan saved by plan -out; without it, a new plan is made and shown
    #[arg(value_name = "PLANFILE")]
    pub plan_file: Option<PathBuf>,
    /// Do not ask before acting
    #[arg(long)]
    pub auto_approve: bool,
    /// Identifier of a database that may lose its data, or its automated backups; may be repeated
    #[arg(long, value_name = "ID")]
    pub allow_data_loss: Vec<String>,
    /// What it is for.
    #[command(flatten)]
    pub mode: ModeArgs,
    /// Flags that plan and apply share.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `aloka destroy`
#[derive(Debug, Args)]
pub struct DestroyArgs {
    /// Do not ask before acting
    #[arg(long)]
    pub auto_approve: bool,
    /// Identifier of a database that may lose its data, or its automated backups; may be repeated
    #[arg(long, value_name = "ID")]
    pub allow_data_loss: Vec<String>,
    /// Flags that plan and apply share.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `aloka refresh`
#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// Flags that plan and apply share.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `aloka output`
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Only this output
    #[arg(value_name = "NAME", required_if_eq("raw", "true"))]
    pub name: Option<String>,
    /// Print JSON
    #[arg(long, conflicts_with = "raw")]
    pub json: bool,
    /// Print the bare text, without quotes and line end: as it is for a script, printable on a terminal
    #[arg(long)]
    pub raw: bool,
}

/// `aloka show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A saved plan or a state file; without it, the state
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print Terraform's JSON
    #[arg(long)]
    pub json: bool,
}

/// `aloka state`
#[derive(Debug, Subcommand)]
pub enum StateCommand {
    /// List the recorded objects
    #[command(after_help = "Example:\n  aloka state list module.vpc")]
    List {
        /// Only addresses that are or begin with this
        #[arg(value_name = "ADDRESS")]
        addresses: Vec<String>,
    },
    /// Show one recorded object
    #[command(after_help = "Example:\n  aloka state show 'module.vpc.aws_subnet.public[0]'")]
    Show {
        /// Its address
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// List the states that the backend still has, the newest first
    #[command(after_help = "Example:\n  aloka state versions")]
    Versions,
    /// Print the state file
    #[command(after_help = "Example:\n  aloka state pull > backup.tfstate")]
    Pull,
    /// Store a state file in place of the state
    #[command(after_help = "Example:\n  aloka state push backup.tfstate")]
    Push(StatePushArgs),
    /// Move recorded objects to other addresses
    #[command(after_help = "Examples:\n  aloka state mv aws_instance.web aws_instance.app\n  \
                            aloka state mv module.network module.vpc")]
    Mv(StateMvArgs),
    /// Forget recorded objects; they stay in AWS
    #[command(after_help = "Example:\n  aloka state rm aws_instance.app")]
    Rm(StateRmArgs),
    /// Rebuild a lost state from the objects in AWS, or add what is missing in one
    ///
    /// Finds the stack of the project and environment by its tags, and by its place in the VPC what has no tags of
    /// aloka, and records it: lineage, generations and choices as they were. What is recorded
    /// already stays as it is. Nothing is changed in AWS. The password
    /// given is taken for the one the database has, and is not sent.
    #[command(after_help = "Examples:\n  aloka state recover -dry-run\n  aloka state recover")]
    Recover(StateRecoverArgs),
}

/// `aloka state push`
#[derive(Debug, Args)]
pub struct StatePushArgs {
    /// Store it even if it is of another history, or older than the state stored
    #[arg(long)]
    pub force: bool,
    /// How the state is locked.
    #[command(flatten)]
    pub lock: LockArgs,
    /// The state file; `-` for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `aloka state mv`
#[derive(Debug, Args)]
pub struct StateMvArgs {
    /// Say what would be moved, and leave it
    #[arg(long)]
    pub dry_run: bool,
    /// How the state is locked.
    #[command(flatten)]
    pub lock: LockArgs,
    /// What is moved: an object, all objects of a resource, or a module
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// Its new address
    #[arg(value_name = "DESTINATION")]
    pub destination: String,
}

/// `aloka state rm`
#[derive(Debug, Args)]
pub struct StateRmArgs {
    /// Say what would be forgotten, and leave it
    #[arg(long)]
    pub dry_run: bool,
    /// How the state is locked.
    #[command(flatten)]
    pub lock: LockArgs,
    /// What is forgotten: objects, resources or modules
    #[arg(value_name = "ADDRESS", required = true)]
    pub addresses: Vec<String>,
}

/// `aloka state recover`
#[derive(Debug, Args)]
pub struct StateRecoverArgs {
    /// The history to recover, if the objects are of several
    #[arg(long, value_name = "LINEAGE")]
    pub lineage: Option<String>,
    /// Say what was found, and record nothing
    #[arg(long)]
    pub dry_run: bool,
    /// `-var` and `-var-file`.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// How the state is locked.
    #[command(flatten)]
    pub lock: LockArgs,
}

/// `aloka adopt`
#[derive(Debug, Args)]
pub struct AdoptArgs {
    /// The VPC to look in
    #[arg(long, value_name = "ID", required_unless_present = "from_state")]
    pub vpc: Option<String>,
    /// Claim what the state records at these addresses: from now on it is replaced and destroyed like everything else.
    /// Asks AWS nothing and sends nothing
    #[arg(long, conflicts_with = "vpc", requires = "addresses")]
    pub from_state: bool,
    /// Addresses to claim
    #[arg(value_name = "ADDRESS", requires = "from_state")]
    pub addresses: Vec<String>,
    /// Say what was found, and record nothing
    #[arg(long)]
    pub dry_run: bool,
    /// `-var` and `-var-file`.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// How the state is locked.
    #[command(flatten)]
    pub lock: LockArgs,
}

/// `aloka import`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// `-var` and `-var-file`.
    #[command(flatten)]
    pub variables: VariableArgs,
    /// How the state is locked.
    #[command(flatten)]
    pub lock: LockArgs,
    /// The address
    #[arg(value_name = "ADDRESS")]
    pub address: String,
    /// What AWS knows the object by, as Terraform's import wants it
    #[arg(value_name = "ID")]
    pub id: String,
}

/// `aloka force-unlock`
#[derive(Debug, Args)]
pub struct ForceUnlockArgs {
    /// Do not ask before acting
    #[arg(long)]
    pub force: bool,
    /// ID of the lock, as the message about it says
    #[arg(value_name = "LOCK_ID")]
    pub id: String,
}

/// `aloka graph`
#[derive(Debug, Args)]
pub struct GraphArgs {
    /// The notation
    #[arg(long = "type", value_enum, value_name = "TYPE", default_value = "dot")]
    pub notation: GraphNotation,
    /// `-var` and `-var-file`.
    #[command(flatten)]
    pub variables: VariableArgs,
}

/// A notation for graphs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphNotation {
    /// Graphviz
    Dot,
    /// Mermaid, as Markdown viewers draw it
    Mermaid,
}

/// How `simulate -rules` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RulesFormat {
    /// For a terminal.
    Text,
    /// For machines.
    Json,
    /// The page docs/SIMULATOR.md.
    Markdown,
    /// The end of docs/REAL_AWS.md: what nobody has seen yet.
    Unseen,
}

/// `aloka simulate`
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Draw identifiers and durations from this seed; the same seed gives the same run. Without it, everything takes
    /// as long as it usually does
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Apply and destroy this often with drawn durations, from the seed on, and tell how long it takes: median, 90th
    /// and 99th percentile
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000),
          conflicts_with_all = ["keep", "fault", "trace", "replay"])]
    pub runs: Option<u32>,
    /// Print the timeline of apply alone; with -runs, that of the median run
    #[arg(long, conflicts_with = "json")]
    pub timeline: bool,
    /// Let this go wrong, such as CreateNatGateway#1=lost-reply; may be repeated. See below
    #[arg(long, value_name = "WHERE=WHAT", value_parser = parse_faults)]
    pub fault: Vec<FaultPlan>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    /// Print the rules of the simulated AWS instead: what it refuses, assumes and delays, and how each is known and
    /// tested
    #[arg(long, value_name = "FORMAT", value_enum, num_args = 0..=1, require_equals = true,
          default_missing_value = "text",
          conflicts_with_all = ["seed", "runs", "timeline", "fault", "json", "keep", "trace", "replay"])]
    pub rules: Option<RulesFormat>,
    /// Leave the stack standing instead of destroying it, and write the trace to .aloka/rehearsal.jsonl
    #[arg(long)]
    pub keep: bool,
    /// Write every event to this file, one JSON object a line, to be replayed. A trace or an empty file is
    /// overwritten, nothing else
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Run the rehearsal of a trace again and compare every event; exits with 1 if one is different
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "timeline", "fault", "keep", "trace"])]
    pub replay: Option<PathBuf>,
    /// Tell the story of a replay up to this event, and show the account as it was then
    #[arg(long, value_name = "N", requires = "replay", value_parser = clap::value_parser!(u64).range(1..))]
    pub until: Option<u64>,
    /// `-var` and `-var-file`.
    #[command(flatten)]
    pub variables: VariableArgs,
}

/// `aloka variables`
#[derive(Debug, Args)]
pub struct VariablesArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print the page docs/VARIABLES.md
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
}

/// `aloka completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `aloka version`
#[derive(Debug, Args)]
pub struct VersionArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The whole command, for completions and for reading arguments. Of a flag that is given twice, the last counts.
pub fn command() -> clap::Command {
    fn last_wins(command: clap::Command) -> clap::Command {
        command.args_override_self(true).mut_subcommands(last_wins)
    }
    last_wins(Cli::command())
}

/// Reads arguments as [`command`] has them, which is made once a run: it has hundreds of flags. The first one is the program.
///
/// # Errors
/// When they make no sense, or ask for help.
pub fn parse(
    command: clap::Command,
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&command.try_get_matches_from(args)?)
}

fn parse_faults(text: &str) -> Result<FaultPlan, FaultError> {
    text.parse()
}

/// Reads `30s`, `5m`, `1h30m`, `0`: a subset of Go's durations.
fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || format!("`{text}` is no duration; write it as 30s or 5m");
    if text == "0" {
        return Ok(std::time::Duration::ZERO);
    }
    let mut seconds: u64 = 0;
    let mut digits = String::new();
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                digits.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return Err(wrong()),
        };
        let number: u64 = std::mem::take(&mut digits).parse().map_err(|_| wrong())?;
        seconds = number.checked_mul(unit).and_then(|s| seconds.checked_add(s)).ok_or_else(wrong)?;
    }
    if digits.is_empty() && !text.is_empty() { Ok(std::time::Duration::from_secs(seconds)) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn variables_keep_the_order_of_the_command_line() {
        let cli = Cli::try_parse_from(["aloka", "plan", "--var=a=1", "--var-file=x", "--var=a=2"]).expect("valid");
        let Command::Plan(plan) = cli.command else { panic!("another command") };
        let var = |text: &str| GivenVariable::Var(text.to_owned());
        assert_eq!(plan.common.variables.given, [var("a=1"), GivenVariable::File("x".into()), var("a=2")]);
    }

    #[test]
    fn reads_durations() {
        let seconds = |text| parse_duration(text).map(|d| d.as_secs()).ok();
        for (text, expected) in [("0", 0), ("0s", 0), ("30s", 30), ("5m", 300), ("1h30m", 5400)] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in ["", "5", "s", "5d", "-3s", "99999999999999999999s", "999999999999999999h"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
