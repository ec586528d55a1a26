// The same scenarios with the full numbers: every statement failing, and many more random lives.
import "./faults.test.ts";
import "./interleavings.test.ts";
