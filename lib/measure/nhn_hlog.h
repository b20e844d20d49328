/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NHN_HLOG_H
#define NHN_HLOG_H

/**
 * @file
 * Histograms of time intervals as HdrHistogram's log, the text form `.hlog`: format
 * version 1.3, histograms in the V2 compressed encoding of the Java library by Gil Tene
 * (https://hdrhistogram.org), which the readers in other languages know.
 *
 * Each histogram is written with lowest discernible value 1, highest trackable value
 * NHN_HISTOGRAM_HIGHEST_NS and 3 significant digits, so the reader's counts are ours,
 * step by step. Not kept are min_ns and max_ns: a reader knows the steps only.
 *
 * Samples below the range are written as the value 0. Those above are written in the
 * step that holds NHN_HISTOGRAM_HIGHEST_NS: they remain the last in rank, so that no
 * percentile gets better, but a reader shows 100059316223 ns where
 * nhn_histogram_percentile() gives max_ns.
 *
 * Times are in seconds, of any clock that counts from the epoch; written are
 * milliseconds. Interval_Max is in milliseconds, as the Java writer has it for ns.
 *
 * Functions allocate; any thread may call them, for one stream one at a time. No other
 * thread may record in a histogram while it is written. Counts above INT64_MAX cannot
 * be written and are cut to it.
 */

#include <stdio.h>

#include <nhn_histogram.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Largest time that is accepted, in seconds. */
#define NHN_HLOG_SECONDS_MAX 1e12

/**
 * Write the lines at the head of a log: version, comment, start, base and legend.
 *
 * @param comment  each of its lines becomes a comment line; NULL: none.
 * @param start_s  when the log begins, seconds since the epoch: StartTime and BaseTime.
 * @return 0, or -EINVAL unless 0 <= *start_s* <= NHN_HLOG_SECONDS_MAX, or -EIO when
 *   *out* is in error.
 */
int nhn_hlog_begin(FILE *out, const char *comment, double start_s);

/**
 * Write the line of one interval. Readers expect them in the order of their starts.
 *
 * @param tag  what the histogram is of, where a log holds several; NULL: none.
 * @param start_s  begin of the interval, seconds since the log's StartTime.
 * @param length_s  its length, seconds.
 * @return 0, or -EINVAL when a time is outside 0..NHN_HLOG_SECONDS_MAX or *tag* is empty
 *   or has a comma, a blank or a control character, or -ENOMEM, or -EIO when *out* is in
 *   error. Nothing is written on -EINVAL and -ENOMEM.
 */
int nhn_hlog_interval(FILE *out, const char *tag, double start_s, double length_s,
		      const struct nhn_histogram *h);

#ifdef __cplusplus
}
#endif

#endif /* NHN_HLOG_H */
