//! The value-flow layer: which functions a call may reach.
//!
//! An abstract machine runs every body until nothing new flows. It follows functions as values,
//! classes with their inheritance, attributes by object, closures, and calls with the
//! circumstances that matter for what they call (see `calls`). What a library does is the
//! catalogue's business.

mod arguments;
mod around;
mod attributes;
mod builtins;
mod calls;
mod cells;
mod classes;
mod collections;
mod computed;
mod constants;
mod contents;
mod decorated;
mod endpoints;
mod enumerations;
mod fixed;
mod flags;
mod getters;
mod hand_offs;
mod heap;
mod hooks;
mod inherent;
mod injection;
mod instance;
mod iteration;
mod library;
mod lineage;
mod loading;
mod machine;
mod metaclasses;
mod models;
mod names;
mod operators;
mod paths;
mod protocols;
mod reflection;
mod replaced;
mod routers;
mod validators;
mod values;
mod variety;
mod wanted;

pub(crate) use endpoints::{Endpoint, Inherited};
pub(crate) use heap::ClassId;
pub(crate) use hooks::{Hook, HookReach};
pub(crate) use instance::{Edge, InstanceId, Reach};
pub(crate) use machine::Machine;
