#include "schemas/sdmx/scan.h"

#include "broker/base/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

void
sg_scan_csv_portable(struct sg_slice window, uint8_t delimiter,
                     struct sg_scan *out)
{
    SG_ASSERT(window.len <= SG_SCAN_WINDOW);
    out->count = 0;
    out->ascii = true;
    for (uint32_t i = 0; i < window.len; i++) {
        uint8_t c = window.ptr[i];
        if (c == delimiter || c == '"' || c == '\n')
            out->at[out->count++] = i;
        if (c == 0 || c > 127)
            out->ascii = false;
    }
}

#if defined(__x86_64__)

static inline uint32_t
put_bits(uint32_t *at, uint32_t count, uint32_t base, uint64_t bits)
{
    for (; bits != 0; bits &= bits - 1)
        at[count++] = base + (uint32_t)__builtin_ctzll(bits);
    return count;
}

// 64 bytes: bit i is set where byte i is structural.
static inline uint64_t
block_sse2(const uint8_t *p, uint8_t delimiter, __m128i *seen)
{
    const __m128i d = _mm_set1_epi8((char)delimiter);
    const __m128i q = _mm_set1_epi8('"');
    const __m128i n = _mm_set1_epi8('\n');
    const __m128i zero = _mm_setzero_si128();
    uint64_t bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        __m128i v =
            _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        __m128i hit = _mm_or_si128(
            _mm_cmpeq_epi8(v, d),
            _mm_or_si128(_mm_cmpeq_epi8(v, q), _mm_cmpeq_epi8(v, n)));
        *seen = _mm_or_si128(*seen, _mm_or_si128(v, _mm_cmpeq_epi8(v, zero)));
        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(hit) << (16 * i);
    }
    return bits;
}

static void
csv_sse2(struct sg_slice window, uint8_t delimiter, struct sg_scan *out)
{
    __m128i seen = _mm_setzero_si128();
    uint32_t count = 0, i = 0;
    for (; i + 64 <= window.len; i += 64)
        count = put_bits(out->at, count, i,
                         block_sse2(window.ptr + i, delimiter, &seen));
    uint8_t tail[64];
    uint32_t rest = (uint32_t)window.len - i;
    if (rest > 0) {
        memset(tail, 'x', sizeof tail);
        memcpy(tail, window.ptr + i, rest);
        uint64_t bits = block_sse2(tail, delimiter, &seen);
        bits &= (1ull << rest) - 1; // the delimiter may be an x
        count = put_bits(out->at, count, i, bits);
    }
    out->count = count;
    out->ascii = _mm_movemask_epi8(seen) == 0;
}

__attribute__((target("avx2,bmi,popcnt"))) static inline uint64_t
block_avx2(const uint8_t *p, uint8_t delimiter, __m256i *seen)
{
    const __m256i d = _mm256_set1_epi8((char)delimiter);
    const __m256i q = _mm256_set1_epi8('"');
    const __m256i n = _mm256_set1_epi8('\n');
    const __m256i zero = _mm256_setzero_si256();
    uint64_t bits = 0;
    for (unsigned i = 0; i < 2; i++) {
        __m256i v =
            _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * i));
        __m256i hit = _mm256_or_si256(
            _mm256_cmpeq_epi8(v, d),
            _mm256_or_si256(_mm256_cmpeq_epi8(v, q), _mm256_cmpeq_epi8(v, n)));
        *seen = _mm256_or_si256(*seen,
                                _mm256_or_si256(v, _mm256_cmpeq_epi8(v, zero)));
        bits |= (uint64_t)(uint32_t)_mm256_movemask_epi8(hit) << (32 * i);
    }
    return bits;
}

// Eight places at a time, also when there are fewer: one branch for eight.
__attribute__((target("avx2,bmi,popcnt"))) static inline uint32_t
put_bits_avx2(uint32_t *at, uint32_t count, uint32_t base, uint64_t bits)
{
    uint32_t found = (uint32_t)__builtin_popcountll(bits);
    for (uint32_t done = 0; done < found; done += 8)
        for (uint32_t i = 0; i < 8; i++) {
            at[count + done + i] = base + (uint32_t)_tzcnt_u64(bits);
            bits = _blsr_u64(bits);
        }
    return count + found;
}

__attribute__((target("avx2,bmi,popcnt"))) static void
csv_avx2(struct sg_slice window, uint8_t delimiter, struct sg_scan *out)
{
    __m256i seen = _mm256_setzero_si256();
    uint32_t count = 0, i = 0;
    for (; i + 64 <= window.len; i += 64)
        count = put_bits_avx2(out->at, count, i,
                              block_avx2(window.ptr + i, delimiter, &seen));
    uint8_t tail[64];
    uint32_t rest = (uint32_t)window.len - i;
    if (rest > 0) {
        memset(tail, 'x', sizeof tail);
        memcpy(tail, window.ptr + i, rest);
        uint64_t bits = block_avx2(tail, delimiter, &seen);
        bits &= (1ull << rest) - 1; // the delimiter may be an x
        count = put_bits_avx2(out->at, count, i, bits);
    }
    out->count = count;
    out->ascii = _mm256_movemask_epi8(seen) == 0;
}

void
sg_scan_csv(struct sg_slice window, uint8_t delimiter, struct sg_scan *out)
{
    SG_ASSERT(window.len <= SG_SCAN_WINDOW);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi"))
        csv_avx2(window, delimiter, out);
    else
        csv_sse2(window, delimiter, out);
}

size_t
sg_scan_common(const uint8_t *a, const uint8_t *b, size_t max)
{
    size_t i = 0;
    for (; i + 16 <= max; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(a + i));
        __m128i y = _mm_loadu_si128((const __m128i *)(const void *)(b + i));
        unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y));
        if (same != 0xffff)
            return i + (size_t)__builtin_ctz(~same);
    }
    while (i < max && a[i] == b[i])
        i++;
    return i;
}

size_t
sg_scan_common_end(const uint8_t *a, const uint8_t *b, size_t max)
{
    size_t n = 0;
    for (; n + 16 <= max; n += 16) {
        __m128i x =
            _mm_loadu_si128((const __m128i *)(const void *)(a - n - 16));
        __m128i y =
            _mm_loadu_si128((const __m128i *)(const void *)(b - n - 16));
        unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y));
        if (same != 0xffff)
            return n + (size_t)__builtin_clz(~same << 16);
    }
    while (n < max && a[-1 - (ptrdiff_t)n] == b[-1 - (ptrdiff_t)n])
        n++;
    return n;
}

#else

void
sg_scan_csv(struct sg_slice window, uint8_t delimiter, struct sg_scan *out)
{
    sg_scan_csv_portable(window, delimiter, out);
}

size_t
sg_scan_common(const uint8_t *a, const uint8_t *b, size_t max)
{
    size_t i = 0;
    while (i < max && a[i] == b[i])
        i++;
    return i;
}

size_t
sg_scan_common_end(const uint8_t *a, const uint8_t *b, size_t max)
{
    size_t n = 0;
    while (n < max && a[-1 - (ptrdiff_t)n] == b[-1 - (ptrdiff_t)n])
        n++;
    return n;
}

#endif
