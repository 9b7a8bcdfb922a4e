//! Many datagrams by one system call: `recvmmsg` and `sendmmsg`, with what the kernel says beside
//! each: the address it came to (or is to leave from), and the size of the packets that it has put
//! together (or is to cut).

use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use nix::errno::Errno;
use nix::libc::{self, c_int, c_void};
use wire::limits::{QUIC_RECEIVE_BYTES, QUIC_RECEIVES, QUIC_SENDS};

/// An IPv6 address and a size, each with its header, and room to spare.
const CONTROL_BYTES: usize = 128;

const EMPTY_SLICE: libc::iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };
// SAFETY: a plain structure of C, for which zeros are a value.
const EMPTY_HEADER: libc::mmsghdr = unsafe { mem::zeroed() };
// SAFETY: as above.
const EMPTY_NAME: libc::sockaddr_storage = unsafe { mem::zeroed() };

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct ControlBuffer([u8; CONTROL_BYTES]);

/// Where datagrams are received to.
pub struct DatagramInbox {
    buffers: Vec<u8>,
    received: Vec<ReceivedDatagrams>,
}

/// Datagrams of one client that the kernel has put together: all of one size but the last, which may
/// be shorter.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedDatagrams {
    /// Where they came from.
    pub from: SocketAddr,
    /// The address they came to, when the socket is bound to all.
    pub to: Option<IpAddr>,
    /// Bytes of each.
    pub segment_bytes: usize,
    len: usize,
}

/// Datagrams of one client, to be cut into packets.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingDatagrams<'a> {
    /// One behind the other.
    pub bytes: &'a [u8],
    /// The client.
    pub to: SocketAddr,
    /// The address to leave from, when the socket is bound to all.
    pub from: Option<IpAddr>,
    /// Bytes of each; `None` when it is only one.
    pub segment_bytes: Option<u16>,
}

impl DatagramInbox {
    /// Room for what one call may receive.
    pub fn new() -> Self {
        Self { buffers: vec![0; QUIC_RECEIVES * QUIC_RECEIVE_BYTES], received: Vec::new() }
    }

    /// Receives what is there, without waiting, and says how many times something was.
    pub fn receive(&mut self, socket: BorrowedFd<'_>) -> nix::Result<usize> {
        self.received.clear();
        let mut headers = [EMPTY_HEADER; QUIC_RECEIVES];
        let mut names = [EMPTY_NAME; QUIC_RECEIVES];
        let mut slices = [EMPTY_SLICE; QUIC_RECEIVES];
        let mut controls = [ControlBuffer([0; CONTROL_BYTES]); QUIC_RECEIVES];
        for (nth, buffer) in self.buffers.chunks_exact_mut(QUIC_RECEIVE_BYTES).enumerate() {
            slices[nth].iov_base = buffer.as_mut_ptr().cast();
            slices[nth].iov_len = buffer.len();
            let header = &mut headers[nth].msg_hdr;
            header.msg_name = (&raw mut names[nth]).cast();
            header.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_iov = &raw mut slices[nth];
            header.msg_iovlen = 1;
            header.msg_control = (&raw mut controls[nth]).cast();
            header.msg_controllen = CONTROL_BYTES;
        }
        // SAFETY: every header points to buffers of the lengths it names, and all outlive the call.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                QUIC_RECEIVES as libc::c_uint,
                libc::MSG_DONTWAIT,
                ptr::null_mut(),
            )
        };
        let count = Errno::result(count)? as usize;
        for (header, name) in headers.iter().zip(&names).take(count) {
            let len = header.msg_len as usize;
            let broken = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            let unknown = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
            let mut received =
                ReceivedDatagrams { from: unknown, to: None, segment_bytes: len.max(1), len };
            match read_name(name) {
                Some(from) if !broken => received.from = from,
                _ => received.len = 0,
            }
            read_control(&header.msg_hdr, &mut received);
            self.received.push(received);
        }
        Ok(count)
    }

    /// What was received, and its bytes.
    pub fn received(&mut self) -> impl Iterator<Item = (ReceivedDatagrams, &mut [u8])> {
        let buffers = self.buffers.chunks_exact_mut(QUIC_RECEIVE_BYTES);
        self.received.iter().zip(buffers).map(|(received, buffer)| {
            let len = received.len.min(buffer.len());
            (*received, &mut buffer[..len])
        })
    }
}

/// Sends as many of these as the socket takes, in order, at most [`QUIC_SENDS`]. An error is about
/// the first.
pub fn send(socket: BorrowedFd<'_>, messages: &[OutgoingDatagrams<'_>]) -> nix::Result<usize> {
    let messages = &messages[..messages.len().min(QUIC_SENDS)];
    let mut headers = [EMPTY_HEADER; QUIC_SENDS];
    let mut slices = [EMPTY_SLICE; QUIC_SENDS];
    let mut controls = [ControlBuffer([0; CONTROL_BYTES]); QUIC_SENDS];
    let names: Vec<socket2::SockAddr> = messages.iter().map(|message| message.to.into()).collect();
    for (nth, (message, name)) in messages.iter().zip(&names).enumerate() {
        // The kernel only reads what a message is sent from.
        slices[nth].iov_base = message.bytes.as_ptr().cast_mut().cast();
        slices[nth].iov_len = message.bytes.len();
        let header = &mut headers[nth].msg_hdr;
        header.msg_name = name.as_ptr().cast_mut().cast();
        header.msg_namelen = name.len();
        header.msg_iov = &raw mut slices[nth];
        header.msg_iovlen = 1;
        header.msg_control = (&raw mut controls[nth]).cast();
        header.msg_controllen = CONTROL_BYTES;
        write_control(header, message);
    }
    // SAFETY: every header points to buffers of the lengths it names, and all outlive the call.
    let count = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            messages.len() as libc::c_uint,
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    };
    Errno::result(count).map(|count| count as usize)
}

/// Sets an option that the libraries do not know, to a number.
pub fn set_option(
    socket: BorrowedFd<'_>,
    level: c_int,
    option: c_int,
    to: c_int,
) -> nix::Result<()> {
    let len = mem::size_of::<c_int>() as libc::socklen_t;
    // SAFETY: the option is a number, which outlives the call.
    let outcome = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const to).cast::<c_void>(), len)
    };
    Errno::result(outcome).map(drop)
}

fn read_name(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let at = &raw const *name;
    match c_int::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the storage is large and aligned enough for every family, and it is of this.
            let name = unsafe { &*at.cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
            Some(SocketAddr::from((ip, u16::from_be(name.sin_port))))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let name = unsafe { &*at.cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(name.sin6_addr.s6_addr);
            let port = u16::from_be(name.sin6_port);
            Some(SocketAddrV6::new(ip, port, 0, name.sin6_scope_id).into())
        }
        _ => None,
    }
}

fn read_control(header: &libc::msghdr, received: &mut ReceivedDatagrams) {
    // SAFETY: the kernel has filled the header's control buffer; the macros stay in it.
    let mut at = unsafe { libc::CMSG_FIRSTHDR(header) };
    // SAFETY: as above; null ends the list. What is read is as long as the kernel says in each kind.
    while let Some(control) = unsafe { at.as_ref() } {
        // SAFETY: as above.
        let data = unsafe { libc::CMSG_DATA(at) };
        match (control.cmsg_level, control.cmsg_type) {
            (libc::SOL_UDP, libc::UDP_GRO) => {
                // SAFETY: as above; possibly not aligned.
                let size = unsafe { data.cast::<c_int>().read_unaligned() };
                received.segment_bytes = usize::try_from(size).unwrap_or(0).max(1);
            }
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                // SAFETY: as above.
                let info = unsafe { data.cast::<libc::in_pktinfo>().read_unaligned() };
                received.to = Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into());
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                // SAFETY: as above.
                let info = unsafe { data.cast::<libc::in6_pktinfo>().read_unaligned() };
                received.to = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into());
            }
            _ => {}
        }
        // SAFETY: as above.
        at = unsafe { libc::CMSG_NXTHDR(header, at) };
    }
}

/// Writes what the kernel is to do with a message into the header's control buffer.
fn write_control(header: &mut libc::msghdr, message: &OutgoingDatagrams<'_>) {
    let mut used = 0;
    if let Some(size) = message.segment_bytes {
        used += push(header, used, libc::SOL_UDP, libc::UDP_SEGMENT, size);
    }
    match message.from {
        Some(IpAddr::V4(ip)) => {
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: libc::in_addr { s_addr: u32::from(ip).to_be() },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            used += push(header, used, libc::IPPROTO_IP, libc::IP_PKTINFO, info);
        }
        Some(IpAddr::V6(ip)) => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr { s6_addr: ip.octets() },
                ipi6_ifindex: 0,
            };
            used += push(header, used, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
        }
        None => {}
    }
    header.msg_controllen = used;
    if used == 0 {
        header.msg_control = ptr::null_mut();
    }
}

/// Appends one control message at `at` and returns how much room it takes.
fn push<T>(header: &libc::msghdr, at: usize, level: c_int, kind: c_int, value: T) -> usize {
    let len = mem::size_of::<T>() as libc::c_uint;
    // SAFETY: these two only count.
    let (space, len) = unsafe { (libc::CMSG_SPACE(len) as usize, libc::CMSG_LEN(len) as usize) };
    assert!(at + space <= CONTROL_BYTES, "control messages have outgrown their buffer");
    // SAFETY: the buffer is CONTROL_BYTES long and aligned, `at` is a sum of CMSG_SPACE, and what is
    // written ends inside of it by the line above.
    unsafe {
        let control = header.msg_control.cast::<u8>().add(at).cast::<libc::cmsghdr>();
        (*control).cmsg_level = level;
        (*control).cmsg_type = kind;
        (*control).cmsg_len = len;
        libc::CMSG_DATA(control).cast::<T>().write_unaligned(value);
    }
    space
}
