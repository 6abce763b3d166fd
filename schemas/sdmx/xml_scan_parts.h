// xml_scan_parts - what the files of the scanner share.
#pragma once

#include "schemas/sdmx/xml_scan.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Compiled with its caller, for that one's processor.
#define SG_XML_SCAN_INLINE static inline __attribute__((always_inline))

enum sg_xml_token { SG_XML_DONE, SG_XML_UNFINISHED, SG_XML_ODD };

// Where the reading of one tag stands; becomes the scanner's place when the
// tag is done.
struct sg_xml_cursor {
    const uint8_t *at, *end;
    const uint8_t *line_at; // behind the tag's last line end; NULL: none
    uint32_t lines;
    uint64_t wide; // since line_at
    bool simd;
};

// A value whose first bytes, up to c, stand for themselves; the others may not.
enum sg_xml_token sg_xml_scan_value(struct sg_xml_scan *scan,
                                    struct sg_xml_cursor *c,
                                    const uint8_t *from, uint8_t quote,
                                    struct sg_slice *value);

static inline bool
sg_xml_is_space(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

// Length of the name that text begins with.
static inline size_t
sg_xml_name_len(struct sg_slice text)
{
    size_t n = 0;
    while (n < text.len && !sg_xml_is_space(text.ptr[n]) &&
           text.ptr[n] != '=' && text.ptr[n] != '/' && text.ptr[n] != '>')
        n++;
    return n;
}

static inline void
sg_xml_line_end(struct sg_xml_cursor *c)
{
    c->lines++;
    c->line_at = c->at;
    c->wide = 0;
}

#if defined(__SSE2__)
SG_XML_SCAN_INLINE __m128i
sg_xml_load16(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

// Of 16 bytes of a value those that do not stand for themselves.
SG_XML_SCAN_INLINE unsigned
sg_xml_odd_bytes(const uint8_t *p, uint8_t quote)
{
    __m128i v = sg_xml_load16(p);
    __m128i a = _mm_cmpeq_epi8(v, _mm_set1_epi8((char)quote));
    __m128i b = _mm_cmpeq_epi8(v, _mm_set1_epi8('<'));
    __m128i c = _mm_cmpeq_epi8(v, _mm_set1_epi8('&'));
    // signed: 0x80 and above are below a blank too
    __m128i d = _mm_cmplt_epi8(v, _mm_set1_epi8(' '));
    return (unsigned)_mm_movemask_epi8(
        _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)));
}
#endif

static inline bool
sg_xml_is_plain(uint8_t ch, uint8_t quote)
{
    return ch >= 0x20 && ch < 0x80 && ch != quote && ch != '<' && ch != '&';
}

// Behind the bytes of a value that stand for themselves.
static inline const uint8_t *
sg_xml_plain_end(const struct sg_xml_cursor *c, uint8_t quote)
{
    const uint8_t *p = c->at;
#if defined(__SSE2__)
    for (; c->simd && c->end - p >= 16; p += 16) {
        unsigned odd = sg_xml_odd_bytes(p, quote);
        if (odd != 0)
            return p + __builtin_ctz(odd);
    }
#endif
    while (p < c->end && sg_xml_is_plain(*p, quote))
        p++;
    return p;
}
