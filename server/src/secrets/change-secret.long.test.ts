// Every secret, from every source, changed in every way, cut off after every step.
import "./change-secret.test.ts";
