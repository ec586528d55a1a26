// Set up before every test of a component: what the page does next may take its time on a busy machine.
import { configure } from "@testing-library/dom";

configure({ asyncUtilTimeout: 15_000 });
