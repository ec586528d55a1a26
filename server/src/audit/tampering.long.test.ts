// 10,000 changes of a log of 200 rows, and 100 of one of 10,000.
import "./tampering.test.ts";
