// Calibration and label map on the processor, compiled at first use by native.py for one number of
// classes. A vector fills a register of the processor: of several, a choice one by one is slow.
//
// Query, key and value are computed here, too: their three small matrix products take no time, but
// PyTorch's threads, which did them before, wait busily for more work on the cores needed here.
//
// Attention: a query in each lane of a vector, keys one after another. A block of keys stays in
// the first-level cache between its three steps: products, exponentials, sums. The largest product
// so far is kept per query, so that nothing overflows (online softmax: Milakov and Gimelshein, 2018).
// A block ends after the products where they say that its weights could not change a result: trained
// scores are so far apart that this holds for about half of all blocks.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
constexpr int REGISTER = 64;
#elif defined(__AVX__)
constexpr int REGISTER = 32;
#else
constexpr int REGISTER = 16;
#endif
typedef float vec __attribute__((vector_size(REGISTER)));
typedef int32_t ivec __attribute__((vector_size(REGISTER)));

namespace {

constexpr int K = CLASSES;
constexpr int PAIRS = (K + 1) / 2;
constexpr int LANES = sizeof(vec) / 4;
constexpr int BLOCK = 64;  // keys

vec all(float x) { return x - vec{}; }
vec max(vec a, vec b) { return a > b ? a : b; }
bool any(ivec mask) {
    int64_t parts[LANES / 2], found = 0;
    std::memcpy(parts, &mask, sizeof mask);
    for (int64_t part : parts) found |= part;
    return found;
}

// 2^x for x <= 0; relative error under 2e-7.
vec exp2(vec x) {
    x = max(x, all(-126.0f));
    const vec shift = all(12582912.0f);  // 1.5 * 2^23 rounds to whole numbers
    const vec shifted = x + shift;
    const vec r = x - (shifted - shift);  // -0.5 .. 0.5
    vec p = all(1.5403530e-4f) * r + all(1.3333558e-3f);
    p = p * r + all(9.6181291e-3f);
    p = p * r + all(5.5504109e-2f);
    p = p * r + all(2.4022651e-1f);
    p = p * r + all(6.9314718e-1f);
    p = p * r + all(1.0f);
    ivec exponent, bits;
    std::memcpy(&exponent, &shifted, sizeof p);
    std::memcpy(&bits, &p, sizeof p);
    bits += exponent << 23;
    std::memcpy(&p, &bits, sizeof p);
    return p;
}

// Call work(begin, end) on pieces of [0, total), on several threads.
void spread(long total, long piece, int threads, const std::function<void(long, long)>& work) {
    std::atomic<long> next{0};
    auto run = [&] {
        for (long begin; (begin = next.fetch_add(piece)) < total;)
            work(begin, std::min(begin + piece, total));
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads; i++) others.emplace_back(run);
    run();
    for (auto& other : others) other.join();
}

struct Maps {  // K maps of `count` positions in any memory layout
    const float* data;
    long channel, position;
    float at(long p, int c) const { return data[p * position + c * channel]; }
};

struct Projection {  // a 1x1 convolution: weights (out, in), then biases
    const float* weight;
    static constexpr int SIZE = K * (K + 1);
    const float* bias() const { return weight + K * K; }

    // The channels of as many positions as a vector has lanes.
    void map(const vec* in, vec* out) const {
        for (int o = 0; o < K; o++) {
            out[o] = all(bias()[o]);
#pragma GCC unroll 32
            for (int i = 0; i < K; i++) out[o] += in[i] * weight[o * K + i];
        }
    }
};

struct Attended {  // rows of K
    std::vector<float> keys, values;
};

// Keys and values of scores (rows, columns), after a 2x2 max-pool if `pooled`.
Attended attended(Maps scores, long rows, long columns, bool pooled, Projection key, Projection value,
                  int threads) {
    const long step = pooled ? 2 : 1, width = columns / step, height = rows / step;
    Attended to{std::vector<float>(height * width * K), std::vector<float>(height * width * K)};
    spread(height, 1, threads, [&](long begin, long end) {
        for (long y = begin; y < end; y++)
            for (long first = 0; first < width; first += LANES) {
                const long lanes = std::min<long>(LANES, width - first);
                vec in[K] = {}, mapped[K];
                // Channel by channel: those of one position lie a whole map apart.
                for (int c = 0; c < K; c++)
                    for (long l = 0; l < lanes; l++) {
                        const long at = (y * columns + first + l) * step;
                        float most = scores.at(at, c);
                        if (pooled)
                            for (long other : {at + 1, at + columns, at + columns + 1})
                                most = std::max(most, scores.at(other, c));
                        in[c][l] = most;
                    }
                auto keep = [&](Projection by, std::vector<float>& into) {
                    by.map(in, mapped);
                    for (long l = 0; l < lanes; l++)
                        for (int c = 0; c < K; c++) into[(y * width + first + l) * K + c] = mapped[c][l];
                };
                keep(key, to.keys);
                keep(value, to.values);
            }
    });
    return to;
}

// products[j] = sum over TERMS of add(sum, term, j) for j < count; returns the largest of them.
template <int TERMS, class Add>
vec multiplied(int count, vec* products, Add add) {
    vec largest = all(-1e30f);
    int j = 0;
    for (; j + 4 <= count; j += 4) {  // at once, since each waits for its own last term
        vec sum[4] = {};
#pragma GCC unroll 32
        for (int c = 0; c < TERMS; c++)
#pragma GCC unroll 4
            for (int n = 0; n < 4; n++) sum[n] = add(sum[n], c, j + n);
#pragma GCC unroll 4
        for (int n = 0; n < 4; n++) products[j + n] = sum[n];
        largest = max(largest, max(max(sum[0], sum[1]), max(sum[2], sum[3])));
    }
    for (; j < count; j++) {
        vec sum = {};
        for (int c = 0; c < TERMS; c++) sum = add(sum, c, j);
        products[j] = sum;
        largest = max(largest, sum);
    }
    return largest;
}

// One group of queries in float32: keys and values are rows of K.
struct Exact {
    static constexpr float NEGLIGIBLE = -40;  // 2^-40 of the largest weight, times 2^15 positions
    std::vector<float> keys, values;
    long count;

    explicit Exact(Attended to)
        : keys(std::move(to.keys)), values(std::move(to.values)), count(keys.size() / K) {}
    static void prepare(vec*) {}
    static vec weight(vec x) { return exp2(x); }
    vec multiply(const vec* q, long first, int size, vec* products) const {
        const float* key = &keys[first * K];
        return multiplied<K>(size, products, [&](vec sum, int c, int j) __attribute__((always_inline)) {
            return sum + q[c] * key[j * K + c];
        });
    }
    void sum(const vec* p, long first, int count, vec* out) const {
        vec total[K + 1];
        std::copy(out, out + K + 1, total);
        for (int j = 0; j < count; j++) {
            const float* value = &values[(first + j) * K];
#pragma GCC unroll 32
            for (int c = 0; c < K; c++) total[c] += p[j] * value[c];
            total[K] += p[j];
        }
        std::copy(total, total + K + 1, out);
    }
};

#ifdef __AVX512BF16__
// As above, but in bfloat16 with sums in float32: two channels or positions in one instruction.
// Weights are cut off, not rounded, in numerator and denominator alike. Keys stand relative to their
// mean, which a softmax does not see, so that rounding takes less of their differences.
struct Fast {
    static constexpr float NEGLIGIBLE = -26;
    long count;
    std::vector<uint32_t> keys;    // for each position, PAIRS pairs of channels
    std::vector<uint32_t> values;  // for each pair of positions, K pairs

    static uint32_t bf16(float x) {
        uint32_t bits;
        std::memcpy(&bits, &x, 4);
        return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    }
    explicit Fast(const Attended& to)
        : count(to.keys.size() / K), keys(count * PAIRS), values((count + 1) / 2 * K) {
        float mean[K] = {};
        for (long p = 0; p < count; p++)
            for (int c = 0; c < K; c++) mean[c] += to.keys[p * K + c] / count;
        for (long p = 0; p < count; p++)
            for (int c = 0; c < K; c++) {
                keys[p * PAIRS + c / 2] |= bf16(to.keys[p * K + c] - mean[c]) << (c % 2 ? 16 : 0);
                values[p / 2 * K + c] |= bf16(to.values[p * K + c]) << (p % 2 ? 16 : 0);
            }
    }
    // 2^x; relative error under 8e-5: a cubic on what lies above the next lower whole number.
    static vec weight(vec x) {
        const vec r = (vec)_mm512_reduce_ps((__m512)x, _MM_FROUND_TO_NEG_INF);
        vec p = all(7.80245226e-2f) * r + all(2.26067155e-1f);
        p = p * r + all(6.95833540e-1f);
        p = p * r + all(9.99925219e-1f);
        return (vec)_mm512_scalef_ps((__m512)p, (__m512)x);
    }
    static void prepare(vec* q) {
        for (int c = 0; c < K; c += 2) {
            const __m512 odd = c + 1 < K ? (__m512)q[c + 1] : __m512{};
            // Both rounded, then a lane of each side by side.
            const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)q[c]));
            const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd));
            q[c / 2] = (vec)_mm512_or_si512(low, _mm512_slli_epi32(high, 16));
        }
    }
    vec multiply(const vec* q, long first, int size, vec* products) const {
        const uint32_t* key = &keys[first * PAIRS];
        return multiplied<PAIRS>(size, products, [&](vec sum, int c, int j) __attribute__((always_inline)) {
            return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)q[c],
                                         (__m512bh)_mm512_set1_epi32(key[j * PAIRS + c]));
        });
    }
    void sum(const vec* p, long first, int count, vec* out) const {
        __m512 total[K + 1];
        for (int c = 0; c <= K; c++) total[c] = (__m512)out[c];
        const __m512bh ones = (__m512bh)_mm512_set1_epi32(0x3f803f80);
        for (int j = 0; j < count; j += 2) {
            const __m512i low = (__m512i)p[j], high = j + 1 < count ? (__m512i)p[j + 1] : __m512i{};
            const __m512bh pair = (__m512bh)_mm512_mask_blend_epi16(
                0xaaaaaaaa, _mm512_srli_epi32(low, 16), high);
            const uint32_t* value = &values[(first + j) / 2 * K];
#pragma GCC unroll 32
            for (int c = 0; c < K; c++)
                total[c] = _mm512_dpbf16_ps(total[c], pair, (__m512bh)_mm512_set1_epi32(value[c]));
            total[K] = _mm512_dpbf16_ps(total[K], pair, ones);
        }
        for (int c = 0; c <= K; c++) out[c] = (vec)total[c];
    }
};
#else
using Fast = Exact;
#endif

template <class Arithmetic>
void attend(Maps scores, Projection query, const Arithmetic& kept, float gamma, float* out, long queries,
            int threads) {
    const long count = kept.count;
    const float log2e = 1.44269504f;
    spread((queries + LANES - 1) / LANES, 8, threads, [&](long begin, long end) {
        vec products[BLOCK];
        for (long group = begin; group < end; group++) {
            vec x[K], q[K], total[K + 1], largest = all(-1e30f);
            for (int c = 0; c < K; c++)
                for (int i = 0; i < LANES; i++)
                    x[c][i] = scores.at(std::min(group * LANES + i, queries - 1), c);
            query.map(x, q);
            for (int c = 0; c < K; c++) q[c] *= log2e;
            Arithmetic::prepare(q);
            std::fill(total, total + K + 1, vec{});
            for (long first = 0; first < count; first += BLOCK) {
                const int size = std::min<long>(BLOCK, count - first);
                vec block = kept.multiply(q, first, size, products);
                if (!any(block > largest + Arithmetic::NEGLIGIBLE)) continue;
                if (any(block > largest)) {
                    block = max(block, largest);
                    const vec fade = exp2(largest - block);
                    for (int c = 0; c <= K; c++) total[c] *= fade;
                    largest = block;
                }
                for (int j = 0; j < size; j++) products[j] = Arithmetic::weight(products[j] - largest);
                kept.sum(products, first, size, total);
            }
            for (int c = 0; c < K; c++) {
                const vec attended = total[c] / total[K];
                for (int i = 0; i < LANES && group * LANES + i < queries; i++) {
                    out[c * queries + group * LANES + i] = x[c][i] + gamma * attended[i];
                }
            }
        }
    });
}

// out (K, rows, columns) = scores + gamma * softmax(query . key) value.
void calibrate(Maps maps, long rows, long columns, const float* parameters, bool pooled, bool fast,
               int threads, float* out) {
    const float gamma = parameters[0];
    const Projection query{parameters + 1}, key{query.weight + Projection::SIZE},
        value{key.weight + Projection::SIZE};
    Attended to = attended(maps, rows, columns, pooled, key, value, threads);
    if (fast)
        attend(maps, query, Fast(std::move(to)), gamma, out, rows * columns, threads);
    else
        attend(maps, query, Exact(std::move(to)), gamma, out, rows * columns, threads);
}

// out (K, 2 rows, 2 columns): scores after a 1x1 convolution that is added to them, each of the new
// ones a mixture of the 3x3 around it. The mixture's logits lie behind the K maps of scores.
void along_edges(Maps maps, long rows, long columns, Projection added, int threads, float* out) {
    constexpr int NEW = 4, NEIGHBOURS = 9;
    constexpr float TWICE[2][3] = {{0.25f, 0.75f, 0}, {0, 0.75f, 0.25f}}, LEAST = 0.02f;
    constexpr float LOG2E = 1.44269504f;
    float bilinear[NEW][NEIGHBOURS], prior[NEW][NEIGHBOURS];
    for (int n = 0; n < NEW; n++) {
        float sum = 0;
        for (int i = 0; i < NEIGHBOURS; i++) {
            bilinear[n][i] = TWICE[n / 2][i / 3] * TWICE[n % 2][i % 3];
            sum += prior[n][i] = std::max(bilinear[n][i], LEAST);
        }
        for (float& share : prior[n]) share /= sum;
    }
    // Lines with one score more on either side, and room for the last vector.
    const long groups = (columns + LANES - 1) / LANES, line = groups * LANES + 2;
    std::vector<float> scores(K * rows * line);
    spread(rows, 1, threads, [&](long begin, long end) {
        for (long y = begin; y < end; y++)
            for (long first = 0; first < line; first += LANES) {
                const long lanes = std::min<long>(LANES, line - first);
                vec in[K] = {}, out[K];
                for (int c = 0; c < K; c++)
                    for (long l = 0; l < lanes; l++)
                        in[c][l] = maps.at(y * columns + std::clamp(first + l - 1, 0L, columns - 1), c);
                added.map(in, out);
                for (int c = 0; c < K; c++) {
                    out[c] += in[c];
                    std::memcpy(&scores[(c * rows + y) * line + first], &out[c], 4 * lanes);
                }
            }
    });
    spread(rows, 1, threads, [&](long begin, long end) {
        for (long y = begin; y < end; y++)
            for (long group = 0; group < groups; group++) {
                vec share[NEW][NEIGHBOURS];
                const long first = group * LANES, lanes = std::min<long>(LANES, columns - first);
                for (int n = 0; n < NEW; n++) {
                    vec largest = all(-1e30f), sum = {};
                    for (int i = 0; i < NEIGHBOURS; i++) {
                        for (int l = 0; l < LANES; l++)
                            share[n][i][l] = maps.at(y * columns + first + std::min<long>(l, lanes - 1),
                                                     K + n * NEIGHBOURS + i);
                        largest = max(largest, share[n][i]);
                    }
                    for (int i = 0; i < NEIGHBOURS; i++) {
                        share[n][i] = exp2((share[n][i] - largest) * LOG2E) * prior[n][i];
                        sum += share[n][i];
                    }
                    for (int i = 0; i < NEIGHBOURS; i++)
                        share[n][i] = share[n][i] / sum + (bilinear[n][i] - prior[n][i]);
                }
                for (int c = 0; c < K; c++) {
                    vec mixed[NEW] = {};
                    for (int i = 0; i < NEIGHBOURS; i++) {
                        const long row = std::clamp(y + i / 3 - 1, 0L, rows - 1);
                        vec neighbour;
                        const float* from = &scores[(c * rows + row) * line + first + i % 3];
                        std::memcpy(&neighbour, from, sizeof neighbour);
                        for (int n = 0; n < NEW; n++) mixed[n] += share[n][i] * neighbour;
                    }
                    float* to = out + (c * rows + y) * NEW * columns + 2 * first;
                    for (int n = 0; n < NEW; n++)
                        for (long l = 0; l < lanes; l++)
                            to[n / 2 * 2 * columns + 2 * l + n % 2] = mixed[n][l];
                }
            }
    });
}

// The classes at PHASES of the `stride` positions in each gap between two scores of a line, from
// position `first` on: row[gap * stride + position].
template <int PHASES>
void winners(const float* line, long padded, long gaps, int first, int stride, uint8_t* row) {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "classes are packed lowest byte first");
    for (long gap = 0; gap < gaps; gap += LANES) {
        vec best[PHASES];
        ivec winner[PHASES] = {};
        for (vec& each : best) each = all(-__builtin_inff());
        for (int c = 0; c < K; c++) {
            vec left, step;
            std::memcpy(&left, line + c * padded + gap, sizeof(vec));
            std::memcpy(&step, line + c * padded + gap + 1, sizeof(vec));
            step -= left;
#pragma GCC unroll 4
            for (int n = 0; n < PHASES; n++) {
                const vec value = left + step * ((first + n + 0.5f) / stride);
                const ivec wins = value > best[n];
                winner[n] = wins ? c - ivec{} : winner[n];
                best[n] = wins ? value : best[n];
            }
        }
        ivec packed = winner[0];
        for (int n = 1; n < PHASES; n++) packed |= winner[n] << 8 * n;
        int32_t classes[LANES];
        std::memcpy(classes, &packed, sizeof(vec));
        for (long l = 0; l < std::min<long>(LANES, gaps - gap); l++)
            std::memcpy(row + (gap + l) * stride + first, &classes[l], PHASES);
    }
}

}  // namespace

extern "C" {

// A calibration of eacnet/models each, by the name that its class gives. `scores` has strides from
// channel to channel and from position to position, in floats; `parameters` are those of the class
// in its order, for an attention gamma, then query, key and value.
void calibrate_full(const float* scores, int64_t channel, int64_t position, int64_t rows,
                    int64_t columns, const float* parameters, int fast, int threads, float* out) {
    calibrate({scores, channel, position}, rows, columns, parameters, false, fast, threads, out);
}

void calibrate_pooled(const float* scores, int64_t channel, int64_t position, int64_t rows,
                      int64_t columns, const float* parameters, int fast, int threads, float* out) {
    calibrate({scores, channel, position}, rows, columns, parameters, true, fast, threads, out);
}

void calibrate_edge(const float* scores, int64_t channel, int64_t position, int64_t rows,
                    int64_t columns, const float* parameters, int, int threads, float* out) {
    along_edges({scores, channel, position}, rows, columns, {parameters}, threads, out);
}

// labels (height, width) = argmax of the scores (K, rows, columns) interpolated `stride` times.
void label_map(const float* scores, int64_t rows, int64_t columns, uint8_t* labels, int64_t height,
               int64_t width, int stride, int threads) {
    const int half = stride / 2;
    const long gaps = columns + 1, padded = (gaps / LANES + 1) * LANES + 1;
    spread(height, stride, threads, [&](long begin, long end) {
        std::vector<float> line(K * padded);
        std::vector<uint8_t> row(gaps * stride);
        for (long y = begin; y < end; y++) {
            // Pixel centres: y lies between the rows `above` and `below` of scores.
            const long gap = (y + half) / stride;
            const long above = std::max(gap - 1, 0L), below = std::min<long>(gap, rows - 1);
            const float t = ((y + half) % stride + 0.5f) / stride;
            for (int c = 0; c < K; c++) {
                const float* a = scores + (c * rows + above) * columns;
                const float* b = scores + (c * rows + below) * columns;
                float* to = &line[c * padded];
                for (long x = 0; x < columns; x++) to[x + 1] = a[x] + t * (b[x] - a[x]);
                to[0] = to[1], to[columns + 1] = to[columns];
            }
            if (stride % 4)
                for (int first = 0; first < stride; first += 2)
                    winners<2>(line.data(), padded, gaps, first, stride, row.data());
            else
                for (int first = 0; first < stride; first += 4)
                    winners<4>(line.data(), padded, gaps, first, stride, row.data());
            std::memcpy(labels + y * width, row.data() + half, width);
        }
    });
}

int has_bfloat16() {
#ifdef __AVX512BF16__
    return 1;
#else
    return 0;
#endif
}
}
