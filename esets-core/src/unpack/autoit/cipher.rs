//! The generators of random numbers that compiled scripts are mixed with.

/// Mixes with MT19937 (Matsumoto and Nishimura, 1998), of which it takes bits 1 to 8.
pub(super) fn mersenne(data: &[u8], seed: u32) -> Vec<u8> {
    let mut state = [0_u32; WORDS];
    let mut last = seed;
    for (index, word) in (0_u32..).zip(&mut state) {
        if index > 0 {
            last = (last ^ last >> 30).wrapping_mul(1_812_433_253).wrapping_add(index);
        }
        *word = last;
    }
    let mut output = data.to_vec();
    for block in output.chunks_mut(WORDS) {
        twist(&mut state);
        block.iter_mut().zip(&state).for_each(|(byte, word)| *byte ^= tempered(*word));
    }
    output
}

fn twist(state: &mut [u32; WORDS]) {
    let word = |state: &[u32; WORDS], at: usize| {
        at.checked_rem(WORDS).and_then(|at| state.get(at)).copied().unwrap_or_default()
    };
    for at in 0..WORDS {
        let next = word(state, at.saturating_add(1));
        let mixed = word(state, at) & 1 << 31 | next & 0x7fff_ffff;
        let far = word(state, at.saturating_add(397));
        let odd = if next & 1 == 1 { 0x9908_b0df } else { 0 };
        if let Some(word) = state.get_mut(at) {
            *word = far ^ mixed >> 1 ^ odd;
        }
    }
}

fn tempered(mut word: u32) -> u8 {
    word ^= word >> 11;
    word ^= word << 7 & 0x9d2c_5680;
    word ^= word << 15 & 0xefc6_0000;
    word ^= word >> 18;
    (word >> 1).to_le_bytes()[0]
}

/// Mixes with RANROT (A. Fog, 1997), of which it takes the highest byte of every second number.
pub(super) fn ranrot(data: &[u8], seed: u32) -> Vec<u8> {
    let mut generator = Ranrot::new(seed);
    let mix = |byte: &u8| {
        generator.next();
        byte ^ generator.next().to_be_bytes()[0]
    };
    data.iter().map(mix).collect()
}

struct Ranrot {
    state: [u32; 17],
    one: usize,
    other: usize,
}

impl Ranrot {
    fn new(mut seed: u32) -> Self {
        let mut state = [0; 17];
        for word in state.iter_mut().rev() {
            seed = 1_u32.wrapping_sub(seed.wrapping_mul(0x53a9_b4fb));
            *word = seed;
        }
        let mut generator = Self { state, one: 16, other: 6 };
        for _ in 0..9 {
            generator.next();
        }
        generator
    }

    fn next(&mut self) -> u32 {
        let other = self.state.get(self.other).copied().unwrap_or_default().rotate_left(13);
        let mut number = 0;
        if let Some(one) = self.state.get_mut(self.one) {
            number = one.rotate_left(9).wrapping_add(other);
            *one = number;
        }
        self.one = self.one.saturating_add(1) % 17;
        self.other = self.other.saturating_add(1) % 17;
        number
    }
}

const WORDS: usize = 624;
