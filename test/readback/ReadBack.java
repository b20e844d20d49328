// SPDX-License-Identifier: BSD-3-Clause
// Reads the logs of write_logs by HdrHistogram's Java library and compares all that it
// finds with what is expected, and its .hgrm with ours to the character.
//
// usage: java -cp hdrhistogram.jar ReadBack.java FOLDER

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;
import org.HdrHistogram.HistogramLogReader;

public class ReadBack {
	private static final long HIGHEST_NS = 100_000_000_000L;
	private static int compared;
	private static int broken;

	private static void same(String where, Object found, Object expected) {
		compared++;
		if (found.equals(expected))
			return;
		if (broken++ < 20)
			System.out.println(where + ": found " + found + ", expected " + expected);
	}

	// What our value is here: the end of its step; of one above the range, of the last step.
	private static long end(Histogram h, String value) {
		return h.highestEquivalentValue(Long.compareUnsigned(Long.parseUnsignedLong(value), HIGHEST_NS) > 0
				? HIGHEST_NS : Long.parseLong(value));
	}

	// By the rank rule itself, over the decoded counts.
	private static long atRank(Histogram h, long rank) {
		long seen = 0;
		for (HistogramIterationValue v : h.recordedValues()) {
			seen += v.getCountAtValueIteratedTo();
			if (seen >= rank)
				return v.getValueIteratedTo();
		}
		return -1;
	}

	private static void compareFacts(String where, Histogram h, List<String> lines) {
		List<String> counts = new ArrayList<>();
		for (HistogramIterationValue v : h.recordedValues())
			counts.add("count " + h.lowestEquivalentValue(v.getValueIteratedTo()) + " " + v.getCountAtValueIteratedTo());
		List<String> expected = new ArrayList<>();
		for (String line : lines) {
			String[] word = line.split(" ");
			switch (word[0]) {
			case "tag": same(where + " tag", h.getTag() == null ? "-" : h.getTag(), word[1]); break;
			case "begin": same(where + " begin", h.getStartTimeStamp(), Long.parseLong(word[1])); break;
			case "end": same(where + " end", h.getEndTimeStamp(), Long.parseLong(word[1])); break;
			case "total": same(where + " total", h.getTotalCount(), Long.parseLong(word[1])); break;
			case "min": same(where + " min", h.highestEquivalentValue(h.getMinValue()), end(h, word[1])); break;
			case "max": same(where + " max", h.getMaxValue(), end(h, word[1])); break;
			case "percentile":
				same(where + " p" + word[1], h.getValueAtPercentile(Double.parseDouble(word[1])), end(h, word[3]));
				same(where + " rank of p" + word[1], atRank(h, Long.parseLong(word[2])), end(h, word[3]));
				break;
			default: expected.add(line);
			}
		}
		same(where + " counts", counts, expected);
	}

	private static void compareText(Path ours, Histogram h, double unit) throws Exception {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		h.outputPercentileDistribution(new PrintStream(bytes), 5, unit);
		String[] theirs = bytes.toString().split("\n");
		String[] lines = Files.readString(ours).split("\n");
		for (int i = 0; i < Math.max(lines.length, theirs.length); i++)
			same(ours.getFileName() + " line " + (i + 1), i < theirs.length ? theirs[i] : "end", i < lines.length ? lines[i] : "end");
	}

	private static void compareLog(File log) throws Exception {
		String name = log.getPath().replaceFirst("\\.hlog$", "");
		HistogramLogReader reader = new HistogramLogReader(log);
		Histogram h;
		int i = 0;
		for (; (h = (Histogram)reader.nextIntervalHistogram()) != null; i++) {
			String part = name + "." + i;
			compareFacts(new File(part).getName(), h, Files.readAllLines(Path.of(part + ".expected")));
			compareText(Path.of(part + ".ns.hgrm"), h, 1);
			compareText(Path.of(part + ".us.hgrm"), h, 1000);
		}
		same(log.getName() + " has no more intervals", new File(name + "." + i + ".expected").exists(), false);
	}

	// Readers find the rank in doubles, which have an end. The first N = k * 10^6 - 1, where N p
	// of p99.9999 is a millionth above a whole number, at which this reader takes that number.
	private static long firstOtherRank() {
		Histogram h = new Histogram(1, 100, 3);
		for (long n = 999_999; n < 100_000_000_000L; n += 1_000_000) {
			long rank = n - n / 1_000_000;
			h.reset();
			h.recordValueWithCount(10, rank - 1);
			h.recordValueWithCount(20, n - rank + 1);
			if (h.getValueAtPercentile(99.9999) != 20)
				return n;
		}
		return 0;
	}

	public static void main(String[] arguments) throws Exception {
		File[] logs = new File(arguments[0]).listFiles((folder, name) -> name.endsWith(".hlog"));
		Arrays.sort(logs);
		for (File log : logs)
			compareLog(log);
		System.out.println("Java: " + logs.length + " logs, " + compared + " comparisons, " + broken + " differ; its p99.9999 has another rank from N = " + firstOtherRank());
		System.exit(broken == 0 && compared > 0 ? 0 : 1);
	}
}
