//! opcache's shared memory, which opcache empties when it is full or a script has called `opcache_reset()`,
//! once no process uses it: it takes no notice of idle workers, but waits for the supervisor, whose script is
//! in it and does not end. Until then nothing is cached, and after `opcache.force_restart_timeout` it kills
//! whom it waits for.
//!
//! ```text
//!  supervisor   the memory ─▶ elsewhere; a copy for itself alone in its place ─▶ its lock is released
//!  worker       (fork) copy and memory ─▶ leaves the script ─▶ the memory in its place again
//! ```
//!
//! So the script of the server goes on in a copy, whatever becomes of the memory. Only pages that are in use
//! are copied.

use std::ffi::c_void;
use std::fs::{read_dir, read_link, read_to_string};
use std::ptr::{null_mut, slice_from_raw_parts};

use nix::libc;
use nix::unistd::{SysconfVar, sysconf};

use crate::process;

/// The memory, in a process that has a copy in its place, or was forked by such a one.
#[derive(Debug)]
pub struct Parted(Vec<PartedMapping>);

/// A mapping of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PartedMapping {
    at: usize,
    bytes: usize,
    /// The mapping proper.
    elsewhere: usize,
}

/// Puts a copy in the place of the memory that this address is in. To be called in the supervisor, before the
/// first fork and while no PHP code runs. `None`: the address is in no shared memory, or it cannot be done.
pub fn part(address: usize) -> Option<Parted> {
    let maps = read_to_string("/proc/self/smaps").ok()?;
    let mappings = shared_mappings(&maps, address);
    let mut parted = Parted(Vec::new());
    for mapping in mappings {
        let Some(part) = mapping.part() else {
            parted.join();
            return None;
        };
        parted.0.push(part);
    }
    if parted.0.is_empty() || !release() {
        parted.join();
        return None;
    }
    Some(parted)
}

impl Parted {
    /// Has the memory in its place again. What lies in the copy is gone.
    pub fn join(&self) {
        for part in &self.0 {
            let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
            // SAFETY: both are this module's mappings of that many bytes, and nothing refers to the copy.
            let moved = unsafe {
                libc::mremap(
                    pointer(part.elsewhere),
                    part.bytes,
                    part.bytes,
                    flags,
                    pointer(part.at),
                )
            };
            if moved == libc::MAP_FAILED {
                log::error!("opcache's memory cannot be mapped again: {}", nix::Error::last());
                process::end_now();
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mapping {
    at: usize,
    bytes: usize,
    protection: i32,
    /// Whether some of it is in swap.
    swapped: bool,
}

/// The mappings of the object that this address is in, if that is shared: opcache has one, in parts where the
/// protection differs.
fn shared_mappings(maps: &str, address: usize) -> Vec<Mapping> {
    let mut all: Vec<(&str, Mapping)> = Vec::new();
    for line in maps.lines() {
        if let Some(kibibytes) = line.strip_prefix("Swap:") {
            if let Some((_, last)) = all.last_mut() {
                last.swapped = !kibibytes.trim().starts_with("0 ");
            }
        } else if let Some(found) = header(line) {
            all.push(found);
        }
    }
    let within = |mapping: &Mapping| (mapping.at..mapping.at + mapping.bytes).contains(&address);
    let Some((object, _)) = all.iter().find(|(_, mapping)| within(mapping)).copied() else {
        return Vec::new();
    };
    let same = all.into_iter().filter(|(other, _)| *other == object && !object.is_empty());
    same.map(|(_, mapping)| mapping).collect()
}

/// What the first line on a mapping says, with the device and number of its object: empty where it is the
/// process's own.
fn header(line: &str) -> Option<(&str, Mapping)> {
    let (range, rest) = line.split_once(' ')?;
    let (from, to) = range.split_once('-')?;
    let (from, to) = (usize::from_str_radix(from, 16).ok()?, usize::from_str_radix(to, 16).ok()?);
    let (permissions, rest) = rest.split_once(' ')?;
    let (_offset, rest) = rest.split_once(' ')?;
    let (device, rest) = rest.split_once(' ')?;
    let number = rest.split(' ').next()?;
    let object = if permissions.ends_with('s') && number != "0" {
        &line[line.find(device)?..line.find(device)? + device.len() + 1 + number.len()]
    } else {
        ""
    };
    let letters = [('r', libc::PROT_READ), ('w', libc::PROT_WRITE), ('x', libc::PROT_EXEC)];
    let protection = letters
        .iter()
        .filter(|(letter, _)| permissions.contains(*letter))
        .map(|(_, bit)| bit)
        .sum();
    Some((object, Mapping { at: from, bytes: to - from, protection, swapped: false }))
}

impl Mapping {
    /// Puts a copy in its place. `None`: it is as before.
    fn part(self) -> Option<PartedMapping> {
        let Self { at, bytes, protection, swapped } = self;
        let page_bytes = page_bytes();
        let pages = bytes / page_bytes;
        let used = if swapped { (0..pages).collect() } else { resident(at, bytes, pages)? };
        // SAFETY: new mappings, at addresses of the kernel's choice, and at last one in the place of another:
        // at no time is what is read there another.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            let write = libc::PROT_READ | libc::PROT_WRITE;
            let copy = libc::mmap(null_mut(), bytes, write, flags, -1, 0);
            if copy == libc::MAP_FAILED {
                return None;
            }
            for start in used.into_iter().map(|page| page * page_bytes) {
                let page: *const [u8] =
                    slice_from_raw_parts(pointer(at + start).cast(), page_bytes);
                if (*page).iter().any(|byte| *byte != 0) {
                    copy.cast::<u8>().add(start).copy_from_nonoverlapping(page.cast(), page_bytes);
                }
            }
            // A mapping that is shared can be mapped once more so.
            let elsewhere = libc::mremap(pointer(at), 0, bytes, libc::MREMAP_MAYMOVE);
            if elsewhere != libc::MAP_FAILED {
                let fixed = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
                if libc::mprotect(copy, bytes, protection) == 0
                    && libc::mremap(copy, bytes, bytes, fixed, pointer(at)) != libc::MAP_FAILED
                {
                    return Some(PartedMapping { at, bytes, elsewhere: elsewhere as usize });
                }
                libc::munmap(elsewhere, bytes);
            }
            libc::munmap(copy, bytes);
        }
        None
    }
}

/// The numbers of the pages that there are: the others are zero, and to read them would make them.
fn resident(at: usize, bytes: usize, pages: usize) -> Option<Vec<usize>> {
    let mut told = vec![0; pages];
    // SAFETY: the vector has a byte for each page.
    let done = unsafe { libc::mincore(pointer(at), bytes, told.as_mut_ptr()) };
    let is_there = |(page, told): (usize, u8)| (told & 1 == 1).then_some(page);
    (done == 0).then(|| told.into_iter().enumerate().filter_map(is_there).collect())
}

fn page_bytes() -> usize {
    let told = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    told.and_then(|bytes| bytes.try_into().ok()).unwrap_or(4096)
}

/// Takes back that this process uses the memory: a lock on a file that has no name.
fn release() -> bool {
    let Ok(files) = read_dir("/proc/self/fd") else { return false };
    let is_lock = |path: &std::path::Path| {
        read_link(path).is_ok_and(|target| {
            let target = target.to_string_lossy();
            target.contains("memfd:opcache_lock") || target.contains("/.ZendSem.")
        })
    };
    let locks = files.flatten().map(|file| file.path()).filter(|path| is_lock(path));
    let numbers = locks.filter_map(|path| path.file_name()?.to_str()?.parse::<i32>().ok());
    let mut released = false;
    for number in numbers {
        let all = libc::flock {
            l_type: libc::F_UNLCK as i16,
            l_whence: libc::SEEK_SET as i16,
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        };
        // SAFETY: the record outlives the call.
        released |= unsafe { libc::fcntl(number, libc::F_SETLK, &raw const all) } == 0;
    }
    released
}

fn pointer(address: usize) -> *mut c_void {
    address as *mut c_void
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0c0000000-55d0c0001000 r--p 00000000 fe:01 131 /usr/bin/php
Swap:                  4 kB
7f0000000000-7f0000003000 rw-s 00000000 00:01 1026 /dev/zero (deleted)
Rss:                   8 kB
Swap:                  0 kB
7f0000003000-7f0000004000 r-xs 00003000 00:01 1026 /dev/zero (deleted)
Swap:                 12 kB
7f0000010000-7f0000011000 rw-s 00000000 00:01 1027 /dev/zero (deleted)
7f0000020000-7f0000021000 rw-p 00000000 00:00 0 
";

    #[test]
    fn the_mappings_of_one_object_are_found_by_an_address_in_one() {
        let (read, write, run) = (libc::PROT_READ, libc::PROT_WRITE, libc::PROT_EXEC);
        let found = shared_mappings(MAPS, 0x7f00_0000_1234);
        let data = Mapping {
            at: 0x7f00_0000_0000,
            bytes: 0x3000,
            protection: read | write,
            swapped: false,
        };
        let code =
            Mapping { at: 0x7f00_0000_3000, bytes: 0x1000, protection: read | run, swapped: true };
        assert_eq!(found, [data, code]);
    }

    #[test]
    fn what_is_not_shared_is_none_of_opcache_s() {
        assert_eq!(shared_mappings(MAPS, 0x55d0_c000_0010), []);
        assert_eq!(shared_mappings(MAPS, 0x7f00_0002_0010), []);
        assert_eq!(shared_mappings(MAPS, 0x1000), []);
    }

    #[test]
    fn a_copy_stands_in_for_shared_memory_until_that_is_put_back() {
        let page_bytes = page_bytes();
        let bytes = 4 * page_bytes;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a mapping of the test's own, which it alone reads and writes.
        unsafe {
            let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
            let at = libc::mmap(null_mut(), bytes, protection, flags, -1, 0);
            let byte = at.cast::<u8>().add(page_bytes + 7);
            byte.write_volatile(1);
            let mapping = Mapping { at: at as usize, bytes, protection, swapped: false };
            let parted = Parted(vec![mapping.part().unwrap()]);
            assert_eq!(byte.read_volatile(), 1);
            byte.write_volatile(2);
            let proper = pointer(parted.0[0].elsewhere).cast::<u8>().add(page_bytes + 7);
            assert_eq!(proper.read_volatile(), 1, "the memory is as it was");
            proper.write_volatile(3);
            assert_eq!(byte.read_volatile(), 2, "and so is the copy");
            parted.join();
            assert_eq!(byte.read_volatile(), 3);
            libc::munmap(at, bytes);
        }
    }
}
