//! Recovery on its own: rule by rule, and against a simulated link.

mod controllers;
mod properties;
mod rules;
mod sim;
