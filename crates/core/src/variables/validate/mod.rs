//! The rules for valid variables: each is checked here, so that AWS never has to.
//!
//! What a variable must be by itself is a function that the table of variables names. A rule between variables looks only at
//! what could be read; a variable that was already reported is left out of the others' rules.

pub(super) mod application;
pub(super) mod database;
pub(super) mod names;
pub(super) mod network;
mod production;
mod storage;
mod strength;
pub(super) mod tags;

use crate::secret::Secrets;

use super::definition::Read;
use super::read::Reader;
use super::{Needs, Variables};

/// Reads and checks every variable. `None` if one of them is refused, which is then in the reader's report.
/// `ignored` are variables of the environment that name no variable.
pub(super) fn variables(reader: &mut Reader<'_>, needs: Needs, ignored: &[String]) -> Option<(Variables, Secrets)> {
    let mut read = Read::every(reader);
    names::check(reader, &mut read);
    application::check(reader, &mut read);
    network::check(reader, &mut read);
    let secrets = database::check(reader, &mut read, needs, ignored);
    let (variables, secrets) = (read.complete()?, secrets?);
    production::warn(reader, &variables);
    Some((variables, secrets))
}
