//! The second stage of the command line: what the flags mean together, and what they cannot mean together.

use std::path::PathBuf;
use std::time::Duration;

use aloka_core::consent::Consent;
use aloka_core::plan::Mode;
use aloka_core::shell::Command;

use crate::args::{
    ApplyArgs, CommonArgs, ConsentArgs, DestroyArgs, GivenVariable, LockArgs, ModeArgs, PlanArgs, RefreshArgs,
};
use crate::config;
use crate::error::{CommandError, Errors};
use crate::line::truth;

/// What plan and apply have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRequest {
    /// What to plan.
    pub mode: Mode,
    /// `-var` and `-var-file`.
    pub variables: Vec<GivenVariable>,
    /// Choose image and engine version anew.
    pub upgrade: bool,
    /// False if no question may be asked.
    pub input: bool,
    /// How long to wait for the lock; `None` to go without.
    pub lock: Option<Duration>,
    /// Terraform's UI stream instead of text.
    pub json: bool,
    /// The first line of a warning is enough.
    pub compact_warnings: bool,
    /// Show everything.
    pub verbose: bool,
    /// Where to write a receipt.
    pub receipt: Option<PathBuf>,
    /// What may be done that is refused otherwise.
    pub consent: Consent,
}

/// `aloka plan`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What to plan.
    pub plan: PlanRequest,
    /// Where to save it.
    pub out: Option<PathBuf>,
    /// Tell changes by the exit code.
    pub detailed_exitcode: bool,
    /// Show calls instead of attributes.
    pub calls: bool,
}

/// `aloka apply`, `destroy`, `refresh`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apply {
    /// What to plan.
    pub plan: PlanRequest,
    /// Run this plan instead of making one.
    pub plan_file: Option<PathBuf>,
    /// Do not ask.
    pub auto_approve: bool,
    /// Databases that may be destroyed.
    pub allow_data_loss: Vec<String>,
}

fn plan_request(mode: Mode, common: CommonArgs) -> Result<PlanRequest, Errors> {
    // Before anything else: what was meant as its value may be taken for something that other messages would show.
    let whole = |given: &GivenVariable| match given {
        GivenVariable::Var(text) => text.contains('='),
        GivenVariable::File(_) => true,
    };
    if !common.variables.given.iter().all(whole) {
        return Err(config::no_value().into());
    }
    let ConsentArgs { allow_replace, allow_cutting_off, exclude, beside } = common.consent;
    if mode != Mode::Destroy && !exclude.is_empty() {
        let error = CommandError::user("-exclude keeps objects that a destroy would take, and this is not a destroy");
        return Err(error.hint("declare what you want to keep, or run: aloka destroy -exclude=ADDRESS").into());
    }
    let asks = std::env::var("TF_INPUT").ok().and_then(|value| truth(&value)).unwrap_or(true);
    Ok(PlanRequest {
        mode,
        variables: common.variables.given,
        upgrade: common.upgrade,
        input: common.input.unwrap_or(asks),
        lock: common.lock.wait(),
        json: common.json,
        compact_warnings: common.compact_warnings,
        verbose: common.verbose,
        receipt: common.receipt,
        consent: Consent {
            replace: allow_replace.into_iter().collect(),
            cutting_off: allow_cutting_off.into_iter().collect(),
            exclude: exclude.into_iter().collect(),
            beside,
        },
    })
}

impl PlanRequest {
    /// That of a command that finds objects and records them.
    pub fn find(variables: Vec<GivenVariable>, lock: &LockArgs) -> Self {
        Self {
            mode: Mode::Apply,
            variables,
            upgrade: false,
            input: false,
            lock: lock.wait(),
            json: false,
            compact_warnings: false,
            verbose: false,
            receipt: None,
            consent: Consent::default(),
        }
    }
}

impl ModeArgs {
    fn mode(&self) -> Mode {
        match (self.destroy, self.refresh_only) {
            (true, _) => Mode::Destroy,
            (false, true) => Mode::RefreshOnly,
            (false, false) => Mode::Apply,
        }
    }
}

impl TryFrom<PlanArgs> for Plan {
    type Error = Errors;

    fn try_from(args: PlanArgs) -> Result<Self, Errors> {
        let PlanArgs { mode, out, detailed_exitcode, calls, common } = args;
        Ok(Self { plan: plan_request(mode.mode(), common)?, out, detailed_exitcode, calls })
    }
}

impl TryFrom<ApplyArgs> for Apply {
    type Error = Errors;

    fn try_from(args: ApplyArgs) -> Result<Self, Errors> {
        let ApplyArgs { plan_file, auto_approve, allow_data_loss, mode, common } = args;
        let ConsentArgs { allow_replace, allow_cutting_off, exclude, beside } = &common.consent;
        let consents = *beside || !allow_replace.is_empty() || !allow_cutting_off.is_empty() || !exclude.is_empty();
        let upgrade = common.upgrade;
        let request = Self { plan: plan_request(mode.mode(), common)?, plan_file, auto_approve, allow_data_loss };
        match &request.plan_file {
            Some(file) if mode.destroy || mode.refresh_only || upgrade || consents => {
                let message = "a saved plan says itself what it is for and what it may do: -destroy, -refresh-only, -upgrade, \
                               -allow-replace, -allow-cutting-off, -exclude and -beside cannot change it";
                let command = file.to_str().and_then(|file| Command::new("aloka apply").file(file));
                let error = CommandError::user(message);
                Err(match command {
                    Some(command) => error.hint(format!("run: {command}")),
                    None => error.hint("leave them out"),
                }
                .into())
            }
            Some(_) | None => Ok(request),
        }
    }
}

impl TryFrom<DestroyArgs> for Apply {
    type Error = Errors;

    fn try_from(args: DestroyArgs) -> Result<Self, Errors> {
        let DestroyArgs { auto_approve, allow_data_loss, common } = args;
        Ok(Self { plan: plan_request(Mode::Destroy, common)?, plan_file: None, auto_approve, allow_data_loss })
    }
}

impl TryFrom<RefreshArgs> for Apply {
    type Error = Errors;

    fn try_from(args: RefreshArgs) -> Result<Self, Errors> {
        let plan = plan_request(Mode::RefreshOnly, args.common)?;
        Ok(Self { plan, plan_file: None, auto_approve: true, allow_data_loss: Vec::new() })
    }
}
