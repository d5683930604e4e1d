/* Batch normalisation with what stands before and after it, in as few passes over memory as there can be.
 *
 *     v = before(x)                     nothing, or max(x, 0)
 *     y = after(scale v + shift)        nothing, max(y, 0), or min(max(y, 0), 6)
 *     out = y, or the largest y of each 2x2 window
 *
 * scale = weight / sqrt(var + eps), shift = bias - mean scale, with mean and variance of v over all positions, whether
 * they are pooled afterwards or not. Where a scale is negative, the largest y of a window lies where v is smallest; so
 * v is compared, times the sign of the scale, and only the winner is scaled. Which of the four won is kept in a byte:
 * the first of equals, as in torch.
 *
 * Tensors are channels-last: element ((n H + h) W + w) C + c; there are at least LANES channels. Channels are worked on
 * LANES at a time; where their number is no multiple, the last lanes overlap those before them and do the same work
 * again. No sum runs over channels, and pictures n0 to n1 are what threads share: results do not depend on the number
 * of threads. Sums run in float over a few hundred positions, then in double.
 *
 * Compiled once for float, and once with -DHALF for bfloat16. */

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(HALF) && defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#define LANES 16
#define MOST_CHANNELS 4096
#define BLOCK 256 /* positions summed in float */
#define INLINE static inline __attribute__((always_inline))

typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef double Doubles __attribute__((vector_size(8 * LANES)));
typedef int32_t Ints __attribute__((vector_size(4 * LANES)));
typedef uint32_t Words __attribute__((vector_size(4 * LANES)));
typedef uint16_t Halves __attribute__((vector_size(2 * LANES)));
typedef uint8_t Bytes __attribute__((vector_size(LANES)));

typedef struct {
    int64_t height, width, channels;
    int64_t before; /* 1: max(x, 0) */
    int64_t after;  /* 1: max(y, 0); 2: min(max(y, 0), 6) */
    int64_t pool;   /* 1: none; 2: windows of 2x2 */
} Form;

#if defined(HALF)
typedef uint16_t Number;
#else
typedef float Number;
#endif

INLINE Floats load(const Number *from) {
#if defined(HALF)
    Halves halves;
    memcpy(&halves, from, sizeof halves);
    return (Floats)(__builtin_convertvector(halves, Words) << 16);
#else
    Floats values;
    memcpy(&values, from, sizeof values);
    return values;
#endif
}

INLINE void store(Number *to, Floats values) {
#if defined(HALF) && defined(__AVX512BF16__)
    __m256bh halves = _mm512_cvtneps_pbh((__m512)values);
    memcpy(to, &halves, sizeof halves);
#elif defined(HALF)
    Words bits = (Words)values, rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16; /* ties to even, as torch does */
    Words broken = (Words)(values != values);
    Halves halves = __builtin_convertvector((rounded & ~broken) | (broken & 0x7fc0), Halves);
    memcpy(to, &halves, sizeof halves);
#else
    memcpy(to, &values, sizeof values);
#endif
}

INLINE Floats numbers(const float *from) {
    Floats values;
    memcpy(&values, from, sizeof values);
    return values;
}

INLINE Floats chosen(Ints where, Floats yes, Floats no) { return (Floats)(((Ints)yes & where) | ((Ints)no & ~where)); }

/* Comparisons are written so that what is no number stays none. */
INLINE Floats zeroed(Ints where, Floats values) { return (Floats)((Ints)values & ~where); }
INLINE Floats first(Floats x, int before) { return before ? zeroed(x < 0, x) : x; }
INLINE Floats last(Floats y, int after) {
    if (after) y = zeroed(y < 0, y);
    if (after == 2) y = chosen(y > 6, y - y + 6, y);
    return y;
}
INLINE Floats passed(Floats g, Floats y, int after) { /* a gradient through `last` */
    if (after == 1) return zeroed(y <= 0, g);
    if (after == 2) return zeroed((y <= 0) | (y >= 6), g);
    return g;
}

INLINE int64_t chunks_of(int64_t channels) { return (channels + LANES - 1) / LANES; }
INLINE int64_t start_of(int64_t chunk, int64_t channels) {
    return chunk * LANES + LANES <= channels ? chunk * LANES : channels - LANES;
}

/* One body for each form that networks have, so that the compiler sees constants. */
#define FORMS(call)                                         \
    if (form->before && form->pool == 2) { call(1, 0, 2); } \
    else if (form->before) { call(1, 0, 1); }               \
    else if (form->pool == 2) { call(0, 1, 2); }            \
    else if (form->after == 1) { call(0, 1, 1); }           \
    else if (form->after == 0) { call(0, 0, 1); }           \
    else { call(0, 2, 1); }

/* Mean of v, and the sum of its squared distances from it, for each picture and channel: block after block, joined as
 * Chan, Golub and LeVeque (1983) do, so that nothing cancels. */
INLINE void measure_form(int64_t positions, int64_t channels, const Number *x, double *means, double *spreads,
                         int before) {
    Doubles mean[MOST_CHANNELS / LANES], spread[MOST_CHANNELS / LANES];
    int64_t chunks = chunks_of(channels);
    for (int64_t chunk = 0; chunk < chunks; chunk++) mean[chunk] = spread[chunk] = (Doubles){0};
    for (int64_t start = 0; start < positions; start += BLOCK) {
        int64_t size = positions - start < BLOCK ? positions - start : BLOCK;
        double share = (double)size / (double)(start + size), earlier = (double)start * share;
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            const Number *from = x + start * channels + start_of(chunk, channels);
            Floats sum = {0}, other = {0}, squares = {0}, more = {0};
            int64_t p = 0;
            for (; p + 1 < size; p += 2) {
                sum += first(load(from + p * channels), before);
                other += first(load(from + (p + 1) * channels), before);
            }
            if (p < size) sum += first(load(from + p * channels), before);
            Floats middle = (sum + other) / (float)size;
            for (p = 0; p + 1 < size; p += 2) {
                Floats off = first(load(from + p * channels), before) - middle;
                Floats off_other = first(load(from + (p + 1) * channels), before) - middle;
                squares += off * off;
                more += off_other * off_other;
            }
            if (p < size) {
                Floats off = first(load(from + p * channels), before) - middle;
                squares += off * off;
            }
            squares += more;
            Doubles off = __builtin_convertvector(middle, Doubles) - mean[chunk];
            mean[chunk] += off * share;
            spread[chunk] += __builtin_convertvector(squares, Doubles) + off * off * earlier;
        }
    }
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        memcpy(means + start_of(chunk, channels), mean + chunk, sizeof *mean);
        memcpy(spreads + start_of(chunk, channels), spread + chunk, sizeof *spread);
    }
}

void measure(const Form *form, const Number *x, int64_t n0, int64_t n1, double *means, double *spreads) {
    int64_t positions = form->height * form->width, channels = form->channels;
    for (int64_t n = n0; n < n1; n++) {
        const Number *from = x + n * positions * channels;
        double *mean = means + n * channels, *spread = spreads + n * channels;
        if (form->before) measure_form(positions, channels, from, mean, spread, 1);
        else measure_form(positions, channels, from, mean, spread, 0);
    }
}

/* Where the batch lies: on so many ranks, each of which gives two numbers a picture and channel, `(ranks, 2, largest,
 * channels)`; the first ranks have `largest` pictures, those behind them one less where they do not divide the batch.
 * Pictures are added up in the batch's order, so that sums do not depend on the number of ranks. */
#define PICTURES(body)                                                                      \
    for (int64_t rank = 0, largest = (pictures + ranks - 1) / ranks; rank < ranks; rank++) { \
        int64_t own = pictures / ranks + (rank < pictures % ranks);                         \
        const double *one = rows + rank * 2 * largest * channels, *other = one + largest * channels; \
        for (int64_t n = 0; n < own; n++, one += channels, other += channels)               \
            for (int64_t c = 0; c < channels; c++) { body }                                 \
    }

/* From every picture's statistics (means, then spreads) to the batch's: mean, 1 / sqrt(var + eps), scale and shift, in
 * this order, each for all channels. Running statistics move on, the variance's without bias. */
void settle(int64_t ranks, int64_t pictures, int64_t positions, int64_t channels, const double *rows,
            const float *weight, const float *bias, double eps, double momentum, float *running_mean,
            float *running_var, float *batch) {
    double count = (double)pictures * (double)positions, mean[MOST_CHANNELS], spread[MOST_CHANNELS];
    for (int64_t c = 0; c < channels; c++) mean[c] = spread[c] = 0;
    PICTURES(mean[c] += one[c];)
    for (int64_t c = 0; c < channels; c++) mean[c] /= (double)pictures;
    PICTURES(double off = one[c] - mean[c]; spread[c] += other[c] + off * off * (double)positions;)
    for (int64_t c = 0; c < channels; c++) {
        batch[c] = (float)mean[c];
        batch[channels + c] = (float)(1.0 / sqrt(spread[c] / count + eps));
        batch[2 * channels + c] = batch[channels + c] * weight[c];
        batch[3 * channels + c] = bias[c] - batch[c] * batch[2 * channels + c];
        running_mean[c] = (float)((1 - momentum) * running_mean[c] + momentum * mean[c]);
        running_var[c] = (float)((1 - momentum) * running_var[c] + momentum * spread[c] / (count - 1));
    }
}

INLINE void apply_form(const Form *form, const Number *x, const float *batch, Number *out, uint8_t *won, int before,
                       int after, int pool) {
    int64_t width = form->width, channels = form->channels, chunks = chunks_of(channels);
    int64_t rows = form->height / pool, columns = width / pool;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            int64_t c = start_of(chunk, channels), at = row * columns * channels + c;
            Floats scale = numbers(batch + 2 * channels + c), shift = numbers(batch + 3 * channels + c);
            Words sign = (Words)scale & 0x80000000u;
            const Number *here = x + pool * row * width * channels + c, *below = here + width * channels;
            for (int64_t column = 0; column < columns; column++, at += channels, here += pool * channels) {
                if (pool == 1) {
                    store(out + at, last(first(load(here), before) * scale + shift, after));
                    continue;
                }
                Floats best = (Floats)((Words)first(load(here), before) ^ sign);
                Floats right = (Floats)((Words)first(load(here + channels), before) ^ sign);
                Floats low = (Floats)((Words)first(load(below), before) ^ sign);
                Floats far = (Floats)((Words)first(load(below + channels), before) ^ sign);
                below += pool * channels;
                Ints wins = right > best, winner = wins & 1;
                best = chosen(wins, right, best);
                wins = low > best;
                winner = (winner & ~wins) | (wins & 2);
                best = chosen(wins, low, best);
                wins = far > best;
                winner = (winner & ~wins) | (wins & 3);
                best = (Floats)((Words)chosen(wins, far, best) ^ sign);
                store(out + at, last(best * scale + shift, after));
                Bytes bytes = __builtin_convertvector(winner, Bytes);
                memcpy(won + at, &bytes, sizeof bytes);
            }
        }
}

INLINE int64_t size_of(const Form *form) { return form->height * form->width * form->channels; }
INLINE int64_t pooled_size_of(const Form *form) {
    return (form->height / form->pool) * (form->width / form->pool) * form->channels;
}

void apply(const Form *form, const Number *x, int64_t n0, int64_t n1, const float *batch, Number *out, uint8_t *won) {
    int64_t size = size_of(form), pooled = pooled_size_of(form);
    for (int64_t n = n0; n < n1; n++) {
#define CALL(b, a, p) apply_form(form, x + n * size, batch, out + n * pooled, won + n * pooled, b, a, p)
        FORMS(CALL)
#undef CALL
    }
}

/* Sums over positions of g and of g (v - mean), where g is the gradient of scale v + shift. */
INLINE void reduce_form(const Form *form, const Number *x, const float *batch, const Number *grad, const uint8_t *won,
                        double *sums, double *products, int before, int after, int pool) {
    int64_t width = form->width, channels = form->channels, chunks = chunks_of(channels);
    int64_t rows = form->height / pool, columns = width / pool;
    int64_t together = columns < BLOCK ? BLOCK / columns : 1; /* rows summed in float */
    Doubles sum[MOST_CHANNELS / LANES], product[MOST_CHANNELS / LANES];
    for (int64_t chunk = 0; chunk < chunks; chunk++) sum[chunk] = product[chunk] = (Doubles){0};
    for (int64_t start = 0; start < rows; start += together)
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            int64_t c = start_of(chunk, channels), end = start + together < rows ? start + together : rows;
            Floats mean = numbers(batch + c);
            Floats scale = numbers(batch + 2 * channels + c), shift = numbers(batch + 3 * channels + c);
            Floats some = {0}, some_products = {0};
            for (int64_t row = start; row < end; row++) {
                int64_t at = row * columns * channels + c;
                const Number *here = x + pool * row * width * channels + c, *below = here + width * channels;
                for (int64_t column = 0; column < columns; column++, at += channels, here += pool * channels) {
                    Floats v = load(here);
                    if (pool == 2) {
                        Bytes bytes;
                        memcpy(&bytes, won + at, sizeof bytes);
                        Ints winner = __builtin_convertvector(bytes, Ints);
                        v = chosen(winner == 1, load(here + channels), v);
                        v = chosen(winner == 2, load(below), v);
                        v = chosen(winner == 3, load(below + channels), v);
                        below += pool * channels;
                    }
                    v = first(v, before);
                    Floats g = passed(load(grad + at), v * scale + shift, after);
                    some += g;
                    some_products += g * (v - mean);
                }
            }
            sum[chunk] += __builtin_convertvector(some, Doubles);
            product[chunk] += __builtin_convertvector(some_products, Doubles);
        }
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        memcpy(sums + start_of(chunk, channels), sum + chunk, sizeof *sum);
        memcpy(products + start_of(chunk, channels), product + chunk, sizeof *product);
    }
}

void reduce(const Form *form, const Number *x, int64_t n0, int64_t n1, const float *batch, const Number *grad,
            const uint8_t *won, double *sums, double *products) {
    int64_t size = size_of(form), pooled = pooled_size_of(form);
    for (int64_t n = n0; n < n1; n++) {
#define CALL(b, a, p)                                                                                             \
    reduce_form(form, x + n * size, batch, grad + n * pooled, won + n * pooled, sums + n * form->channels,        \
                products + n * form->channels, b, a, p)
        FORMS(CALL)
#undef CALL
    }
}

/* Gradients of weight and bias, and what every gradient of v loses: less[c] + less[channels + c] (v - mean), from every
 * picture's sums, then products. */
void gather(int64_t ranks, int64_t pictures, int64_t positions, int64_t channels, const double *rows,
            const float *batch, float *grad_weight, float *grad_bias, float *less) {
    double count = (double)pictures * (double)positions, sum[MOST_CHANNELS], product[MOST_CHANNELS];
    for (int64_t c = 0; c < channels; c++) sum[c] = product[c] = 0;
    PICTURES(sum[c] += one[c]; product[c] += other[c];)
    for (int64_t c = 0; c < channels; c++) {
        double inverse = batch[channels + c], scale = batch[2 * channels + c];
        grad_bias[c] = (float)sum[c];
        grad_weight[c] = (float)(product[c] * inverse);
        less[c] = (float)(scale * sum[c] / count);
        less[channels + c] = (float)(scale * inverse * inverse * product[c] / count);
    }
}

/* The gradient of x. */
INLINE void descend_form(const Form *form, const Number *x, const float *batch, const Number *grad, const uint8_t *won,
                         const float *less, Number *out, int before, int after, int pool) {
    int64_t height = form->height, width = form->width, channels = form->channels, chunks = chunks_of(channels);
    int64_t rows = height / pool, columns = width / pool;
    for (int64_t row = 0; row < height; row++)
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            int64_t c = start_of(chunk, channels), at = (row / pool) * columns * channels + c;
            Floats mean = numbers(batch + c);
            Floats scale = numbers(batch + 2 * channels + c), shift = numbers(batch + 3 * channels + c);
            Floats always = numbers(less + c), slope = numbers(less + channels + c);
            int64_t inside = row / pool < rows ? columns * pool : 0; /* an odd last row or column is in no window */
            for (int64_t column = 0; column < width; column += pool, at += channels) {
                Floats received = {0};
                Ints winner = {0};
                if (column < inside) {
                    received = load(grad + at);
                    if (pool == 2) {
                        Bytes bytes;
                        memcpy(&bytes, won + at, sizeof bytes);
                        winner = __builtin_convertvector(bytes, Ints) - (int32_t)(2 * (row % 2));
                    }
                }
                for (int part = 0; part < pool && column + part < width; part++) {
                    int64_t here = (row * width + column + part) * channels + c;
                    Floats given = load(x + here), v = first(given, before);
                    Floats g = pool == 2 ? zeroed(winner != part, received) : received;
                    g = passed(g, v * scale + shift, after) * scale - always - slope * (v - mean);
                    store(out + here, before ? zeroed(given <= 0, g) : g);
                }
            }
        }
}

void descend(const Form *form, const Number *x, int64_t n0, int64_t n1, const float *batch, const Number *grad,
             const uint8_t *won, const float *less, Number *out) {
    int64_t size = size_of(form), pooled = pooled_size_of(form);
    for (int64_t n = n0; n < n1; n++) {
#define CALL(b, a, p)                                                                                            \
    descend_form(form, x + n * size, batch, grad + n * pooled, won + n * pooled, less, out + n * size, b, a, p)
        FORMS(CALL)
#undef CALL
    }
}
