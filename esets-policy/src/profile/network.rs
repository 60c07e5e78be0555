//! IP networks in CIDR notation (RFC 4632, RFC 4291), and finding the smallest that holds an
//! address.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses that share their first `bits` bits with `address`, in which all others are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `ADDRESS` or `ADDRESS/BITS`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address.parse().ok()?, Some(bits.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let bits = bits.unwrap_or_else(|| width(address));
        (bits <= width(address)).then(|| Self::around(address, bits))
    }

    fn around(address: IpAddr, bits: u8) -> Self {
        let spare = u32::from(width(address).saturating_sub(bits));
        let address = match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(spare).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(spare).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
            }
        };
        Self { address, bits }
    }
}

/// Networks, each with the section that names it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Networks {
    sections: HashMap<Network, u32>,
    /// The lengths in use, for IPv4 and IPv6.
    v4: BTreeSet<u8>,
    v6: BTreeSet<u8>,
}

impl Networks {
    /// Adds a network; gives back the section that has it already.
    pub(crate) fn insert(&mut self, network: Network, section: u32) -> Option<u32> {
        match network.address {
            IpAddr::V4(_) => self.v4.insert(network.bits),
            IpAddr::V6(_) => self.v6.insert(network.bits),
        };
        self.sections.insert(network, section)
    }

    /// The sections of all networks that hold the address, the smallest first. Each length in
    /// use costs one look-up, so at most 33 or 129.
    pub(crate) fn find(&self, address: IpAddr, mut found: impl FnMut(Option<u32>)) {
        let address = address.to_canonical();
        let lengths = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        for bits in lengths.iter().rev() {
            found(self.sections.get(&Network::around(address, *bits)).copied());
        }
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_network_comes_first() {
        let mut networks = Networks::default();
        for (section, text) in
            ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0", "::/0"].iter().enumerate()
        {
            networks.insert(Network::parse(text).unwrap(), u32::try_from(section).unwrap());
        }
        let found = |address: &str| {
            let mut all = Vec::new();
            networks.find(address.parse().unwrap(), |section| all.extend(section));
            all
        };
        assert_eq!(found("10.1.2.3"), [2, 1, 0, 3]);
        assert_eq!(found("::ffff:10.1.9.9"), [1, 0, 3]);
        assert_eq!(found("192.0.2.1"), [3]);
        assert_eq!(found("2001:db8::1"), [4]);
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for wrong in ["10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "/8", "x"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Network::parse("10.9.9.9/8"), Network::parse("10.0.0.0/8"));
    }
}
