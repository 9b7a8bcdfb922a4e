//! [`Address`]: whom a frame of a link names: an exchange, a connection or a pool of workers.

use crate::error::CodecError;
use crate::exchange::ExchangeId;

/// Whom a message is about. Which of them a message takes is a matter of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Address {
    /// A request and its response.
    Exchange(ExchangeId),
    /// A client's connection. Who names it need not be answering a request of it.
    Connection(ConnectionId),
    /// A pool of workers.
    Pool(PoolId),
}

/// Names a connection: what PHP knows as `fd`. No other connection has the number as long as the server
/// runs, whatever becomes of the reactor meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

impl ConnectionId {
    /// The reactor thread that owns it, of `threads`, which are at least one.
    pub fn thread(self, threads: usize) -> usize {
        (self.0 % threads.max(1) as u64) as usize
    }
}

/// Names a pool of workers: a row of their table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(pub u16);

/// What kind of name a frame's header holds, as a number.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressKind {
    Exchange = 0,
    Connection = 1,
    Pool = 2,
}

impl AddressKind {
    /// The inverse of `self as u8`.
    pub(super) fn from_u8(value: u8) -> Result<Self, CodecError> {
        match value {
            0 => Ok(Self::Exchange),
            1 => Ok(Self::Connection),
            2 => Ok(Self::Pool),
            other => Err(CodecError::Address(other)),
        }
    }
}

impl Address {
    /// Its kind and its number, as a header has them.
    pub(super) fn parts(self) -> (AddressKind, u64) {
        match self {
            Self::Exchange(id) => (AddressKind::Exchange, id.to_u64()),
            Self::Connection(ConnectionId(number)) => (AddressKind::Connection, number),
            Self::Pool(PoolId(number)) => (AddressKind::Pool, number.into()),
        }
    }

    /// The inverse of [`parts`](Self::parts).
    pub(super) fn from_parts(kind: AddressKind, number: u64) -> Result<Self, CodecError> {
        Ok(match kind {
            AddressKind::Exchange => Self::Exchange(ExchangeId::from_u64(number)),
            AddressKind::Connection => Self::Connection(ConnectionId(number)),
            AddressKind::Pool => {
                let number = u16::try_from(number);
                Self::Pool(PoolId(number.map_err(|_| CodecError::Address(kind as u8))?))
            }
        })
    }
}

impl From<ExchangeId> for Address {
    fn from(id: ExchangeId) -> Self {
        Self::Exchange(id)
    }
}

impl From<ConnectionId> for Address {
    fn from(id: ConnectionId) -> Self {
        Self::Connection(id)
    }
}

impl From<PoolId> for Address {
    fn from(id: PoolId) -> Self {
        Self::Pool(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_survives_the_header() {
        for address in [
            Address::from(ExchangeId::new(7, 9)),
            ConnectionId(u64::MAX).into(),
            PoolId(u16::MAX).into(),
        ] {
            let (kind, number) = address.parts();
            let kind = AddressKind::from_u8(kind as u8).unwrap();
            assert_eq!(Address::from_parts(kind, number), Ok(address));
        }
        assert_eq!(AddressKind::from_u8(3), Err(CodecError::Address(3)));
        assert_eq!(Address::from_parts(AddressKind::Pool, 1 << 16), Err(CodecError::Address(2)));
    }

    #[test]
    fn a_number_names_its_thread() {
        let threads: Vec<_> = (1..6).map(|number| ConnectionId(number).thread(3)).collect();
        assert_eq!(threads, [1, 2, 0, 1, 2]);
        assert_eq!(ConnectionId(5).thread(1), 0);
    }
}
