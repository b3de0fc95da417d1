//! Stories told to the real binary, with the simulated cloud: exit codes, output, files left behind.

mod backend;
mod clear_text;
mod cycle;
mod damage;
mod destroy;
mod directory;
mod documents;
mod files;
mod flags;
mod forms;
mod help;
mod hostile;
mod interrupt;
mod output;
mod protection;
mod recover;
mod refusals;
mod resume;
mod secrets;
mod simulate;
mod support;
mod terminal;
mod text;
mod variables;
mod warnings;
mod words;
