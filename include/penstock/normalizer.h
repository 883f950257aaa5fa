/**
 * Normalisers without a pipeline: the features of one row, as a model that serves wants them, with the same bits as
 * `penstock convert --normalize FILE` gives them. Plain C, no exceptions; a normaliser that is loaded may be used by
 * any number of threads at once.
 *
 *     penstock_normalizer_shape shape;
 *     char error[256];
 *     penstock_normalizer* n = penstock_normalizer_load("normalizer.json", &shape, error, sizeof error);
 *     if (n == NULL) fprintf(stderr, "%s\n", error);
 *     float numbers[] = {39.1f, 18.7f};
 *     char const* texts[] = {"Torgersen"};
 *     size_t unknown = penstock_normalizer_apply(n, numbers, texts, features);
 *     penstock_normalizer_free(n);
 */
#ifndef PENSTOCK_NORMALIZER_H
#define PENSTOCK_NORMALIZER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct penstock_normalizer penstock_normalizer;

/** How long the arrays of a row are. */
typedef struct penstock_normalizer_shape {
  size_t numbers;  /**< float32 values that go in, in the order of the file's columns of type "number" */
  size_t texts;    /**< texts that go in, in the order of its columns of type "text" */
  size_t features; /**< float32 values that come out */
} penstock_normalizer_shape;

/**
 * Reads a file that `penstock fit` wrote. `shape` is set; it may be NULL. On failure returns NULL and writes why to
 * `error`, at most `error_bytes` bytes with the NUL behind them; `error` may be NULL if `error_bytes` is 0. Files for
 * features other than float32 are refused. The caller owns the result: penstock_normalizer_free().
 */
penstock_normalizer* penstock_normalizer_load(char const* path, penstock_normalizer_shape* shape, char* error,
                                              size_t error_bytes);

/**
 * One dense row. `numbers`: shape.numbers values; a NaN of any bits is a missing value. `texts`: shape.texts strings
 * that end with NUL, as a cell's text is without quotes; NULL is a missing value, and so is nothing else (null
 * spellings are a matter of CSV). `features`: room for shape.features values. Arrays of length 0 may be NULL. Returns
 * 0, or the number, counted from 1, of the first text that the normaliser refuses (no word of the vocabulary, no time,
 * longer than 4,096 bytes); then nothing was written. Takes no memory but for more than 64 texts.
 */
size_t penstock_normalizer_apply(penstock_normalizer const* normalizer, float const* numbers, char const* const* texts,
                                 float* features);

/** NULL is allowed. */
void penstock_normalizer_free(penstock_normalizer* normalizer);

#ifdef __cplusplus
}
#endif

#endif
