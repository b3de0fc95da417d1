//! I9: destroy finishes from anywhere. Whatever part of a stack is there, and in whatever state, one run of destroy leaves
//! nothing, meets no refusal because something is still in use, and looks whether anything is left.

mod bench;
mod held;
mod intents;
mod leftover;
mod phase;
mod subset;
