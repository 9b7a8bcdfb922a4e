//! Registers classes by their [`Signature`].

use std::ffi::c_int;
use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::args::{Arg, ArgInfoTables};
use ext_php_rs::builders::{ClassBuilder, FunctionBuilder};
use ext_php_rs::ffi::{
    HashTable, ZEND_ACC_PUBLIC, zend_class_entry, zend_function, zend_hash_str_find,
    zend_property_info, zend_string, zend_type, zval,
};
use ext_php_rs::flags::{DataType, MethodFlags};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ClassEntry;

use super::globals;
use super::signature::{Method, Property, Returns, Signature, Types};

/// The class entry of one class, set once at module startup.
#[derive(Debug)]
pub struct ClassCell(AtomicPtr<ClassEntry>);

impl ClassCell {
    /// An empty cell.
    pub const fn new() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// Keeps the entry, and the argument tables that its methods point to, for ever.
    pub fn set(&self, entry: &'static mut ClassEntry, tables: ArgInfoTables) {
        Box::leak(tables);
        self.0.store(entry, Ordering::Release);
    }

    /// The class entry as the engine wants it; null before the module has started.
    pub fn as_ptr(&self) -> *mut ClassEntry {
        self.0.load(Ordering::Relaxed)
    }

    /// The class entry.
    pub fn get(&self) -> &'static ClassEntry {
        // SAFETY: classes are registered when the module starts, before anything can ask.
        unsafe { &*self.as_ptr() }
    }
}

impl Default for ClassCell {
    fn default() -> Self {
        Self::new()
    }
}

/// A builder with the methods of a signature. What it cannot express is added by [`complete`], once it is
/// registered.
pub fn builder(signature: &Signature) -> ClassBuilder {
    signature.methods.iter().fold(ClassBuilder::new(signature.name), |class, method| {
        let flags = match method.is_static {
            true => MethodFlags::Public | MethodFlags::Static,
            false => MethodFlags::Public,
        };
        class.method(function(method), flags)
    })
}

/// A builder of a method, or of a function. Its types are added by [`complete`] or [`complete_functions`].
pub fn function(method: &Method) -> FunctionBuilder<'static> {
    let function = FunctionBuilder::new(method.name, method.handler);
    let function = match method.returns {
        Returns::Undeclared => function,
        Returns::Class(name) => function.returns(DataType::object(name), false, false),
        Returns::Types(_) => function.returns(DataType::Mixed, false, false),
    };
    let function = method.parameters.iter().fold(function, |function, parameter| {
        let argument = Arg::new(parameter.name, DataType::Mixed);
        function.arg(match parameter.default {
            Some(default) => argument.default(default),
            None => argument,
        })
    });
    function.required_args(method.required)
}

/// Declares the properties, whose slots follow each other in the order of the signature, and the types of
/// the methods of a class that has just been registered.
pub fn complete(entry: &mut ClassEntry, signature: &Signature) {
    signature.properties.iter().for_each(|property| declare(entry, property));
    set_types(&raw const entry.function_table, signature);
}

/// Declares the types of functions, which are in the engine's table.
pub fn complete_functions(signature: &Signature) {
    // SAFETY: only takes the address.
    set_types(unsafe { (*globals::compiler()).function_table }, signature);
}

fn set_types(table: *const HashTable, signature: &Signature) {
    for method in signature.methods {
        if let Returns::Types(types) = method.returns {
            set_type(table, method, None, types);
        }
        for (index, parameter) in method.parameters.iter().enumerate() {
            set_type(table, method, Some(index), parameter.types);
        }
    }
}

fn declare(entry: &mut ClassEntry, property: &Property) {
    property.name.init();
    let readonly = if property.readonly { READONLY } else { 0 };
    let types = zend_type { ptr: std::ptr::null_mut(), type_mask: property.types.0 };
    let mut default = Zval::from(property.default);
    // SAFETY: the class is registered, its name lives for ever, and the default is not counted.
    unsafe {
        zend_declare_typed_property(
            entry,
            property.name.as_ptr(),
            &raw mut default,
            (ZEND_ACC_PUBLIC | readonly) as c_int,
            std::ptr::null_mut(),
            types,
        );
    }
}

/// Gives a method its type: of what it returns, or of the argument with this index. The builder has put
/// another one there.
fn set_type(table: *const HashTable, method: &Method, argument: Option<usize>, types: Types) {
    let name = method.name.to_ascii_lowercase();
    // SAFETY: the table is that of a registered class, or the engine's; its values point to functions,
    // whose argument tables, where the returned type lies first, live as long and may be written to.
    unsafe {
        let found = zend_hash_str_find(table, name.as_ptr().cast(), name.len());
        let Some(found) = found.as_ref() else { return };
        let function = found.value.ptr.cast::<zend_function>();
        let arguments = (*function).common.arg_info;
        let place = match argument {
            None => arguments.sub(1),
            Some(index) if index < (*function).common.num_args as usize => arguments.add(index),
            Some(_) => return,
        };
        (*place).type_.type_mask = types.0;
    }
}

/// `ZEND_ACC_READONLY`
const READONLY: u32 = 1 << 7;

unsafe extern "C" {
    fn zend_declare_typed_property(
        entry: *mut zend_class_entry,
        name: *mut zend_string,
        default: *mut zval,
        access: c_int,
        doc_comment: *mut zend_string,
        types: zend_type,
    ) -> *mut zend_property_info;
}
