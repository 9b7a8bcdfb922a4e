//! What the stubs in `stubs/` declare, as `build.rs` has written it: constants, and for each class a
//! module with its signature, the slots of its properties and the arguments of its methods.

#![allow(missing_docs, non_upper_case_globals, clippy::redundant_field_names)]

use ext_php_rs::ffi::{zend_string, zval};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;

use crate::engine::zend::method::{self, Str};
use crate::engine::zend::signature::{
    Constant, Method, Parameter, Property, PropertyDefault, Returns, Signature, Types,
};
use crate::engine::zend::zend_parse_parameters;

include!(concat!(env!("OUT_DIR"), "/signatures.rs"));
