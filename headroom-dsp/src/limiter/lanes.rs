//! A few frames side by side: the vectors that the detector's loops are written in.
//!
//! Used by [`super::points`]. Through `pulp` where the processor has AVX2 and fused
//! multiply-add, which only shows at run time; elsewhere through `wide` in the vectors that
//! every processor of the target has.

/// Arithmetic on a vector of neighbouring frames.
pub(crate) trait Lanes: Copy {
    type Vector: Copy;
    /// Frames in a vector. At most [`MOST_LANES`].
    const COUNT: usize;

    fn splat(self, value: f32) -> Self::Vector;
    /// The first [`Lanes::COUNT`] values.
    fn load(self, from: &[f32]) -> Self::Vector;
    fn store(self, vector: Self::Vector, to: &mut [f32]);
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a * b + c`.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// The larger of `peak` and the magnitude of `point`. If `point` is no number, as the sum of
    /// two infinities is, either `peak` or that.
    fn peak(self, peak: Self::Vector, point: Self::Vector) -> Self::Vector;
}

/// The widest vector of any implementation.
pub(crate) const MOST_LANES: usize = 8;

#[cfg(target_arch = "x86_64")]
impl Lanes for pulp::x86::V3 {
    type Vector = pulp::f32x8;
    const COUNT: usize = 8;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Vector {
        self.splat_f32x8(value)
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::Vector {
        let mut lanes = [0.0; 8];
        lanes.copy_from_slice(&from[..8]);
        pulp::cast(lanes)
    }

    #[inline(always)]
    fn store(self, vector: Self::Vector, to: &mut [f32]) {
        let lanes: [f32; 8] = pulp::cast(vector);
        to[..8].copy_from_slice(&lanes);
    }

    #[inline(always)]
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        self.add_f32x8(a, b)
    }

    #[inline(always)]
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        self.mul_add_f32x8(a, b, c)
    }

    #[inline(always)]
    fn peak(self, peak: Self::Vector, point: Self::Vector) -> Self::Vector {
        self.max_f32x8(self.abs_f32x8(point), peak)
    }
}

/// Four frames, by what every processor of the target has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Baseline;

impl Lanes for Baseline {
    type Vector = wide::f32x4;
    const COUNT: usize = 4;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::Vector {
        wide::f32x4::splat(value)
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> Self::Vector {
        let mut lanes = [0.0; 4];
        lanes.copy_from_slice(&from[..4]);
        wide::f32x4::new(lanes)
    }

    #[inline(always)]
    fn store(self, vector: Self::Vector, to: &mut [f32]) {
        to[..4].copy_from_slice(&vector.to_array());
    }

    #[inline(always)]
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector {
        a + b
    }

    #[inline(always)]
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn peak(self, peak: Self::Vector, point: Self::Vector) -> Self::Vector {
        point.abs().fast_max(peak)
    }
}
