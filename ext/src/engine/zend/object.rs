//! PHP objects with a Rust value inside.
//!
//! ```text
//!  | state: T | zend_object | property slots … |
//!             ▲
//!             └ what the engine points to; `handlers.offset` leads back to the front
//! ```

use std::mem::offset_of;
use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::args::ArgInfoTables;
use ext_php_rs::ffi::{
    ext_php_rs_zend_object_alloc, object_properties_init, std_object_handlers, zend_function,
    zend_object, zend_object_handlers, zend_object_std_dtor, zend_object_std_init, zval,
};
use ext_php_rs::flags::ClassFlags;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ClassEntry;

use super::class::{self, ClassCell};
use super::signature::Signature;
use super::value;
use crate::php::error::Failure;
use crate::swoole::absent;

/// A class whose objects hold a Rust value.
#[derive(Debug)]
pub struct Class {
    signature: &'static Signature,
    entry: ClassCell,
    handlers: AtomicPtr<zend_object_handlers>,
}

impl Class {
    /// A class that is not registered yet.
    pub const fn new(signature: &'static Signature) -> Self {
        let handlers = AtomicPtr::new(std::ptr::null_mut());
        Self { signature, entry: ClassCell::new(), handlers }
    }

    /// The class entry; null before the module has started.
    pub fn entry(&self) -> *mut ClassEntry {
        self.entry.as_ptr()
    }

    /// What it declares.
    pub fn signature(&self) -> &'static Signature {
        self.signature
    }
}

/// A Rust value that lives in PHP objects of one class.
pub trait NativeObject: Sized + 'static {
    /// The class.
    fn class() -> &'static Class;

    /// The value of an object that belongs to no server: the engine has made it by itself (reflection,
    /// mocks).
    fn detached() -> Self;

    /// Changes the handlers that differ from the standard ones.
    fn adapt(handlers: &mut zend_object_handlers) {
        let _ = handlers;
    }
}

/// The memory of an object.
#[repr(C)]
pub struct Object<T> {
    /// The Rust value.
    pub state: T,
    /// The engine's part; last, because the property slots lie behind it.
    pub std: zend_object,
}

impl<T: NativeObject> Object<T> {
    /// A new object with one reference, which the caller owns.
    pub fn create(state: T) -> *mut Self {
        Self::create_of(T::class().entry.as_ptr(), state)
    }

    fn create_of(entry: *mut ClassEntry, state: T) -> *mut Self {
        // SAFETY: the allocation has room for `Self` and for the class's properties; every field is
        // written before the engine sees the object. The engine bails out instead of returning null.
        unsafe {
            let object = ext_php_rs_zend_object_alloc(size_of::<Self>(), entry).cast::<Self>();
            (&raw mut (*object).state).write(state);
            zend_object_std_init(&raw mut (*object).std, entry);
            object_properties_init(&raw mut (*object).std, entry);
            (*object).std.handlers = T::class().handlers.load(Ordering::Relaxed);
            object
        }
    }

    /// The memory around the engine's part.
    ///
    /// # Safety
    ///
    /// `object` is an object of `T`'s class or of a class that extends it.
    pub unsafe fn of(object: *mut zend_object) -> *mut Self {
        // SAFETY: such objects come from `create_of` only.
        unsafe { object.byte_sub(offset_of!(Self, std)).cast() }
    }

    /// The object that a value is, if it is one of `T`'s class or of a class that extends it.
    pub fn of_value(value: &Zval) -> Option<*mut Self> {
        let object = value.dereference().object()?;
        let is_one = object.instance_of(T::class().entry.get());
        // SAFETY: the class has just been looked at.
        is_one.then(|| unsafe { Self::of(std::ptr::from_ref(object).cast_mut()) })
    }

    /// The object as a value, which takes over the reference of [`create`](Self::create).
    ///
    /// # Safety
    ///
    /// `this` is live, and one reference is the caller's.
    pub unsafe fn into_value(this: *mut Self) -> Zval {
        // SAFETY: the caller's promise.
        unsafe { value::owned_object(&raw mut (*this).std) }
    }

    /// The object as a value, with one more reference.
    ///
    /// # Safety
    ///
    /// `this` is live.
    pub unsafe fn to_value(this: *mut Self) -> Zval {
        // SAFETY: the caller's promise.
        unsafe { value::object(&raw mut (*this).std) }
    }

    /// The slot of the declared property with this index, in the order of declaration.
    ///
    /// # Safety
    ///
    /// `this` is live, and the class declares more than `index` properties.
    pub unsafe fn slot(this: *mut Self, index: usize) -> *mut zval {
        // SAFETY: the caller's promise; slots of a parent come before those of its children.
        unsafe { (&raw mut (*this).std.properties_table).cast::<zval>().add(index) }
    }
}

/// Registers `T`'s class. To be called once, at module startup.
pub fn register<T: NativeObject>() -> ext_php_rs::error::Result<()> {
    class::builder(T::class().signature).registration(registered::<T>).register()
}

fn registered<T: NativeObject>(entry: &'static mut ClassEntry, tables: ArgInfoTables) {
    // SAFETY: the standard handlers are constant data of the engine.
    let mut handlers = unsafe { std_object_handlers };
    handlers.offset = offset_of!(Object<T>, std) as i32;
    handlers.free_obj = Some(free::<T>);
    handlers.clone_obj = None;
    handlers.get_constructor = Some(refuse_constructor);
    handlers.get_method = Some(absent::get_method);
    T::adapt(&mut handlers);
    T::class().handlers.store(Box::leak(Box::new(handlers)), Ordering::Release);
    entry.__bindgen_anon_2.create_object = Some(create_detached::<T>);
    entry.ce_flags |= ClassFlags::NotSerializable.bits();
    class::complete(entry, T::class().signature);
    T::class().entry.set(entry, tables);
}

unsafe extern "C" fn create_detached<T: NativeObject>(entry: *mut ClassEntry) -> *mut zend_object {
    let object = Object::<T>::create_of(entry, T::detached());
    // SAFETY: the object is new.
    unsafe { &raw mut (*object).std }
}

unsafe extern "C" fn free<T: NativeObject>(object: *mut zend_object) {
    // SAFETY: the engine calls this once per object, and frees the memory afterwards.
    unsafe {
        std::ptr::drop_in_place(&raw mut (*Object::<T>::of(object)).state);
        zend_object_std_dtor(object);
    }
}

unsafe extern "C" fn refuse_constructor(object: *mut zend_object) -> *mut zend_function {
    // SAFETY: the engine passes a live object.
    let name = unsafe { (*(*object).ce).name() }.unwrap_or("an object of this class");
    Failure::Forbidden(format!("{name} cannot be created by new: the server passes it")).throw();
    std::ptr::null_mut()
}
