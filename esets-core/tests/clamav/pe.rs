//! PE files made for tests.

/// A PE file of sections that follow each other in the file, each at its own 0x1000 in memory.
pub(crate) struct Pe<'a> {
    /// Whether it is PE32+.
    pub(crate) wide: bool,
    pub(crate) sections: &'a [Vec<u8>],
    /// The size of the import directory, at the start of the first section; 0 is none.
    pub(crate) imports: u32,
    /// Where it begins to run, in memory.
    pub(crate) entry: u32,
    /// The section that holds the resources, from 0.
    pub(crate) resources: Option<usize>,
}

impl Pe<'_> {
    pub(crate) fn build(&self) -> Vec<u8> {
        let Self { wide, sections, imports, entry, resources } = *self;
        let optional: u16 = if wide { 0xf0 } else { 0xe0 };
        let table = 0x58 + usize::from(optional);
        let headers = (table + 40 * sections.len()).next_multiple_of(0x200);
        let mut file = vec![0; headers];
        let mut put = |at: usize, bytes: &[u8]| {
            file.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
        };
        put(0, b"MZ");
        put(0x3c, &0x40_u32.to_le_bytes());
        put(0x40, if wide { b"PE\0\0\x64\x86" } else { b"PE\0\0\x4c\x01" });
        put(0x46, &u16::try_from(sections.len()).unwrap().to_le_bytes());
        put(0x54, &optional.to_le_bytes());
        put(0x56, &0x102_u16.to_le_bytes());
        put(0x58, if wide { b"\x0b\x02" } else { b"\x0b\x01" });
        let image = address(sections.len());
        let shift = if wide { 16 } else { 0 };
        for (at, value) in [
            (0x68, entry),
            (if wide { 0x70 } else { 0x74 }, 0x40_0000),
            (0x78, 0x1000),
            (0x7c, 0x200),
            (0x90, image),
            (0x94, u32::try_from(headers).unwrap()),
            (0xb4 + shift, 16),
            (0xc0 + shift, if imports > 0 { 0x1000 } else { 0 }),
            (0xc4 + shift, imports),
            (0xc8 + shift, resources.map_or(0, address)),
            (0xcc + shift, resources.map_or(0, |at| size(sections, at))),
        ] {
            put(at, &u32::to_le_bytes(value));
        }
        put(0x88, &4_u16.to_le_bytes());
        put(0x9c, &3_u16.to_le_bytes());
        let mut offset = u32::try_from(headers).unwrap();
        for number in 0..sections.len() {
            let at = table + 40 * number;
            let size = size(sections, number);
            put(at, b".part");
            for (field, value) in
                [(8, size), (12, address(number)), (16, size), (20, offset), (36, 0x6000_0020)]
            {
                put(at + field, &u32::to_le_bytes(value));
            }
            offset += size;
        }
        file.extend(sections.concat());
        file
    }
}

/// Where a section lies in memory.
pub(crate) fn address(number: usize) -> u32 {
    0x1000 * u32::try_from(number + 1).unwrap()
}

fn size(sections: &[Vec<u8>], number: usize) -> u32 {
    u32::try_from(sections.get(number).unwrap().len()).unwrap()
}
