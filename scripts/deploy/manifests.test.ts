// deploy/compose.yaml and deploy/kubernetes by the schemas of their formats, and by what the server really reads, answers and takes to stop.
// Each file is also spoiled in one place after the other, and has to be refused.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { routes } from "@safelight/contract";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { timeLimits } from "../../server/src/tasks/time-limits.ts";
import { readContainerfile } from "./containerfile.ts";
import { at, findComposeProblems, findKubernetesProblems, parseYaml, secondsOf, type Tree } from "./manifests.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const imageOf = (name: string) => {
  const last = readContainerfile(read(`deploy/images/${name}.Containerfile`)).at(-1);
  if (last === undefined) throw new Error(`${name} has no stage`);
  return last;
};
const gatewayImage = imageOf("gateway");
const workerImage = imageOf("worker");

/** Seconds that a gateway takes to stop at most: its limit for answers, then for runs, then for the rest. */
const ownStop = (3 * timeLimits.stop) / 1000;

/** Settings that .env.example names. A secret's file is named there too. */
const settings = new Set([...read(".env.example").matchAll(/^([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name));
/** Read by the S3 client itself. */
const foreign = new Set(["AWS_SHARED_CREDENTIALS_FILE", "AWS_EC2_METADATA_DISABLED"]);
const unknownSettings = (given: object): string[] =>
  Object.keys(given).filter((name) => !settings.has(name) && !foreign.has(name));

const byText = (one = "", other = ""): number => (one < other ? -1 : 1);

/** The tree with one thing changed at a path of it; undefined takes it away. */
function changed(tree: Tree, path: string, value: unknown): Tree {
  const copy = structuredClone(tree) as Record<string, unknown>;
  const names = path.split(".");
  const last = names.pop() ?? "";
  const place = names.reduce<Record<string, unknown>>((part, name) => {
    const next = part[name];
    if (typeof next !== "object" || next === null) throw new Error(`there is no ${path} to spoil`);
    return next as Record<string, unknown>;
  }, copy);
  if (value === undefined) {
    if (place[last] === undefined) throw new Error(`there is no ${path} to take away`);
    delete place[last];
  } else place[last] = value;
  return copy;
}

describe("deploy/compose.yaml", () => {
  const [compose = {}] = parseYaml(read("deploy/compose.yaml"));
  const services = at(compose, "services") as Record<string, Tree>;

  test("is what the Compose Specification says", () => {
    expect(findComposeProblems(compose)).toEqual([]);
    expect(Object.keys(services).sort()).toEqual([
      "bucket",
      "caddy",
      "database",
      "gateway-1",
      "gateway-2",
      "s3",
      "volumes",
      "worker",
    ]);
  });

  test.each<[string, unknown]>([
    ["services.caddy.imagee", "caddy"],
    ["services.caddy.read_only", 7],
    ["services.caddy.ports", "443"],
    ["services.database.healthcheck.test", 3],
    ["services.gateway-1.depends_on.database.condition", "soon"],
    ["services.gateway-1.deploy.resources.limits.mem", "1G"],
    ["services.worker.deploy.resources.reservations.devices", "all"],
    ["networks.data.internl", true],
    ["secrets.api-key.fil", "x"],
    ["volums", {}],
  ])("is refused with %s spoiled", (path, value) => {
    expect(findComposeProblems(changed(compose, path, value))).not.toEqual([]);
  });

  test("what refuses YAML refuses a key that stands twice", () => {
    expect(() => parseYaml("a: 1\na: 2\n")).toThrow(/unique/);
    expect(() => parseYaml("a: *nowhere\n")).toThrow();
  });

  /** The service's field as a text; empty where it is not one. */
  const textOf = (name: string, field: string): string => {
    const value = at(services[name], field);
    return typeof value === "string" ? value : "";
  };

  /** One line for each thing that a service lacks of what all of them shall have. */
  function findLoose(all: Record<string, Tree>): string[] {
    return Object.entries(all).flatMap(([name, service]) => {
      const lacks = (what: string, holds: boolean) => (holds ? [] : [`${name}: ${what}`]);
      return [
        ...lacks("read_only", service["read_only"] === true),
        ...lacks("cap_drop", stringify(service["cap_drop"]) === stringify(["ALL"])),
        ...lacks("no-new-privileges", String(service["security_opt"]).includes("no-new-privileges:true")),
        ...lacks(
          "a limit of memory and processes",
          name === "worker" ||
            ["volumes", "bucket"].includes(name) ||
            (at(service, "deploy.resources.limits.memory") !== undefined &&
              at(service, "deploy.resources.limits.pids") !== undefined),
        ),
        ...lacks("a version", /:v?\d[\w.-]*$/.test(String(service["image"]))),
        ...lacks("a logger that ends", at(service, "logging.options.max-size") !== undefined),
        ...lacks("nothing published", name === "caddy" || service["ports"] === undefined),
        ...lacks("no privileges", service["privileged"] === undefined && service["pid"] === undefined),
      ];
    });
  }

  test("gives no service a right, a folder or a port that it does not need", () => {
    expect(findLoose(services)).toEqual([]);
    const rights = Object.entries(services).map(([name, service]) => [name, service["cap_add"] ?? []]);
    expect(Object.fromEntries(rights)).toMatchObject({
      caddy: ["NET_BIND_SERVICE"],
      volumes: ["CHOWN"],
      "gateway-1": [],
      database: [],
      s3: [],
      worker: [],
    });
    expect(at(compose, "networks.data.internal")).toBe(true);
    for (const name of ["database", "s3", "bucket"])
      expect([name, services[name]?.["networks"]]).toEqual([name, ["data"]]);
    expect(services["caddy"]?.["networks"]).toEqual(["front"]);
    const roots = Object.keys(services).filter((name) => textOf(name, "user").startsWith("0"));
    expect(roots).toEqual(["volumes"]);
  });

  test.each([
    ["read_only", "caddy.read_only", undefined],
    ["cap_drop", "s3.cap_drop", undefined],
    ["no-new-privileges", "database.security_opt", undefined],
    ["a version", "s3.image", "docker.io/versity/versitygw:latest"],
    ["a limit of memory and processes", "gateway-1.deploy", undefined],
    ["nothing published", "database.ports", ["5432:5432"]],
  ])("%s is missed where it is not", (what, path, value) => {
    expect(findLoose(changed(services, path, value) as Record<string, Tree>)).toEqual([
      `${path.split(".")[0]}: ${what}`,
    ]);
  });

  test("has two gateways that differ in their folder alone, with settings that the server reads", () => {
    const [one, two] = [services["gateway-1"] ?? {}, services["gateway-2"] ?? {}];
    expect({ ...one, volumes: null }).toEqual({ ...two, volumes: null });
    expect(one["volumes"]).not.toEqual(two["volumes"]);
    const environment = one["environment"] as Record<string, string>;
    expect(unknownSettings(environment)).toEqual([]);
    expect(unknownSettings({ ...environment, DATABSE_URL: "" })).toEqual(["DATABSE_URL"]);
    expect(
      Object.entries(gatewayImage.environment).filter(
        ([name, value]) => name in environment && environment[name] !== value,
      ),
    ).toEqual([]);
    expect(one["volumes"]).toEqual([`gateway-1:${environment["DATA_DIR"]}`]);
  });

  test("gives each service the secrets that its settings name, and nothing secret in another way", () => {
    for (const [name, service] of Object.entries(services)) {
      const environment = (service["environment"] ?? {}) as Record<string, string>;
      const named = Object.values(environment).flatMap((value) => /^\/run\/secrets\/(.+)$/.exec(value)?.[1] ?? []);
      const inScript = { s3: ["s3-access-key", "s3-secret-key"], worker: ["worker-key"] }[name] ?? [];
      expect([name, [...((service["secrets"] ?? []) as string[])].sort()]).toEqual([
        name,
        [...named, ...inScript].sort(),
      ]);
      const open = Object.keys(environment).filter(
        (one) => /(?:KEY|SECRET|PASSWORD|TOKEN)$/.test(one) || one === "DATABASE_URL",
      );
      expect([name, open]).toEqual([name, []]);
    }
    const made = new Set(
      [...read("deploy/compose-secrets.sh").matchAll(/\bkeep \$\w+ ([\w-]+)/g)].map(([, name]) => name),
    );
    expect(Object.keys(at(compose, "secrets") as Tree).filter((name) => !made.has(name))).toEqual([]);
    expect(read("deploy/compose/start-s3.sh")).toMatch(/run\/secrets\/s3-access-key[\s\S]*run\/secrets\/s3-secret-key/);
  });

  test("waits for what takes its time to stop, and mounts what is there", () => {
    for (const name of ["gateway-1", "gateway-2"])
      expect(secondsOf(services[name]?.["stop_grace_period"])).toBeGreaterThan(ownStop * 2);
    expect(services["gateway-1"]?.["stop_signal"]).toBe(gatewayImage.stopSignal);
    const mounts = Object.values(services).flatMap((service) => (service["volumes"] ?? []) as string[]);
    const volumes = Object.keys(at(compose, "volumes") as Tree);
    for (const mount of mounts) {
      const [source = ""] = mount.split(":");
      if (source.startsWith("./")) expect([source, existsSync(join(root, "deploy", source))]).toEqual([source, true]);
      else expect(volumes).toContain(source);
    }
    // One that cannot be executed would be read into the shell that starts the database.
    expect(statSync(join(root, "deploy/compose/make-database.sh")).mode & 0o111).not.toBe(0);
  });

  test("agrees with the images and with Caddy's file about ports, users and programs", () => {
    const caddyfile = read("deploy/caddy/gateways.Caddyfile");
    const port = textOf("gateway-1", "environment.PORT");
    expect(gatewayImage.ports).toEqual([Number(port)]);
    expect(caddyfile).toContain(`reverse_proxy gateway-1:${port} gateway-2:${port} {`);
    expect(caddyfile).toContain(`health_uri ${routes.getHealth.path}\n`);
    const published = (at(services, "caddy.ports") as string[]).map((entry) =>
      entry.split(":")[1]?.replace("/udp", ""),
    );
    for (const inner of published) expect(caddyfile).toMatch(new RegExp(`https?_port ${inner}\\b`));
    expect(at(services, "bucket.entrypoint.1")).toBe("deploy/images/make-bucket.mjs");
    expect(existsSync(join(root, "deploy/images/make-bucket.mjs"))).toBe(true);
    const users = [...read("deploy/compose-secrets.sh").matchAll(/^(gateway|database|storage)=(\d+)$/gm)].map(
      ([, name, id]) => [name, `${id}:${id}`],
    );
    expect(Object.fromEntries(users)).toEqual({
      gateway: gatewayImage.user,
      database: services["database"]?.["user"],
      storage: services["s3"]?.["user"],
    });
    expect(workerImage.user).toBe(gatewayImage.user);
    expect(String(at(services, "volumes.entrypoint.2"))).toContain(
      `chown ${textOf("s3", "user")} /s3 && chown ${textOf("caddy", "user")} /caddy`,
    );
    const subnet = at(compose, "networks.front.ipam.config.0.subnet");
    expect(at(services, "gateway-1.environment.TRUSTED_PROXIES")).toBe(subnet);
  });
});

describe("deploy/kubernetes", () => {
  const folder = join(root, "deploy/kubernetes");
  const files = readdirSync(folder).filter((name) => name !== "kustomization.yaml");
  const documents = new Map<string, Tree>(
    files.flatMap((file) =>
      parseYaml(read(`deploy/kubernetes/${file}`)).map(
        (tree) => [`${file}: ${String(tree["kind"])} ${String(at(tree, "metadata.name"))}`, tree] as const,
      ),
    ),
  );
  const get = (name: string): Tree => {
    const tree = documents.get(name);
    if (tree === undefined) throw new Error(`there is no ${name}`);
    return tree;
  };
  const gateway = get("gateway.yaml: Deployment gateway");
  const worker = get("worker.yaml: Deployment worker");

  test.each([...documents])("%s is what Kubernetes takes", (_name, tree) => {
    expect(findKubernetesProblems(tree)).toEqual([]);
  });

  test.each<[string, string, unknown]>([
    ["gateway.yaml: Deployment gateway", "spec.replica", 2],
    ["gateway.yaml: Deployment gateway", "spec.replicas", "two"],
    ["gateway.yaml: Deployment gateway", "spec.selector", undefined],
    ["gateway.yaml: Deployment gateway", "spec.template.spec.containers.0.livenessProb", {}],
    ["gateway.yaml: Deployment gateway", "spec.template.spec.containers.0.livenessProbe.httpGet.port", undefined],
    [
      "gateway.yaml: Deployment gateway",
      "spec.template.spec.containers.0.securityContext.readOnlyRootFileSystem",
      true,
    ],
    ["gateway.yaml: Deployment gateway", "kind", "Deploymnt"],
    ["gateway.yaml: Service gateway", "spec.ports.0.port", "http"],
    ["gateway.yaml: PodDisruptionBudget gateway", "spec.minAvailble", 1],
    ["ingress.yaml: Ingress gateway", "spec.rules.0.http.paths.0.pathType", undefined],
    ["network-policy.yaml: NetworkPolicy gateway", "spec.egres", []],
    ["settings.yaml: ConfigMap gateway-settings", "data.PORT", 8600],
    ["service-account.yaml: ServiceAccount gateway", "automountServiceAccountToken", "no"],
    ["worker.yaml: PersistentVolumeClaim worker", "spec.accessModes", "ReadWriteOnce"],
  ])("%s is refused with %s spoiled", (name, path, value) => {
    expect(findKubernetesProblems(changed(get(name), path, value))).not.toEqual([]);
  });

  test("kustomization.yaml names the files that are there, and leaves out the examples", () => {
    const [kustomization = {}] = parseYaml(read("deploy/kubernetes/kustomization.yaml"));
    expect(kustomization["kind"]).toBe("Kustomization");
    const examples = ["secrets.example.yaml", "worker.yaml"];
    expect([...(kustomization["resources"] as string[]), ...examples].sort()).toEqual(files.sort());
    expect(at(kustomization, "images.0.name")).toBe(
      String(at(gateway, "spec.template.spec.containers.0.image")).split(":")[0],
    );
  });

  /** One line for each thing that a pod lacks of the profile "restricted" and of what we add to it. */
  function findLoose(deployment: Tree): string[] {
    const pod = at(deployment, "spec.template.spec");
    const container = at(pod, "containers.0");
    const wanted: [string, unknown, unknown][] = [
      ["automountServiceAccountToken", at(pod, "automountServiceAccountToken"), false],
      ["runAsNonRoot", at(pod, "securityContext.runAsNonRoot"), true],
      ["runAsUser", String(at(pod, "securityContext.runAsUser")), gatewayImage.user?.split(":")[0]],
      ["seccompProfile", at(pod, "securityContext.seccompProfile.type"), "RuntimeDefault"],
      ["allowPrivilegeEscalation", at(container, "securityContext.allowPrivilegeEscalation"), false],
      ["readOnlyRootFilesystem", at(container, "securityContext.readOnlyRootFilesystem"), true],
      ["capabilities", stringify(at(container, "securityContext.capabilities")), stringify({ drop: ["ALL"] })],
      ["a limit of memory", typeof at(container, "resources.limits.memory"), "string"],
      ...["startupProbe", "livenessProbe", "readinessProbe"].map((probe): [string, unknown, unknown] => [
        probe,
        typeof at(container, probe),
        "object",
      ]),
    ];
    const hosts = ["hostNetwork", "hostPID", "hostIPC"].filter((name) => at(pod, name) !== undefined);
    return [...wanted.filter(([, found, value]) => found !== value).map(([what]) => what), ...hosts];
  }

  test("no pod may do more than it needs, and each is looked after", () => {
    expect([findLoose(gateway), findLoose(worker)]).toEqual([[], []]);
    const container = "spec.template.spec.containers.0";
    for (const [what, path] of [
      ["readOnlyRootFilesystem", `${container}.securityContext.readOnlyRootFilesystem`],
      ["capabilities", `${container}.securityContext.capabilities.drop`],
      ["readinessProbe", `${container}.readinessProbe`],
      ["runAsNonRoot", "spec.template.spec.securityContext.runAsNonRoot"],
    ] as const)
      expect(findLoose(changed(gateway, path, undefined))).toEqual([what]);
    expect(findLoose(changed(gateway, "spec.template.spec.hostNetwork", true))).toEqual(["hostNetwork"]);
    expect(at(get("namespace.yaml: Namespace safelight"), "metadata.labels")).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
    });
  });

  test("probes ask for what is there, and a stop has the time that it takes", () => {
    const container = at(gateway, "spec.template.spec.containers.0");
    expect(at(container, "livenessProbe.httpGet.path")).toBe(routes.getHealth.path);
    for (const probe of ["startupProbe", "readinessProbe"])
      expect(at(container, `${probe}.exec.command`)).toEqual(gatewayImage.healthcheck);
    expect(existsSync(join(root, gatewayImage.healthcheck?.[1] ?? ""))).toBe(true);
    const grace = Number(at(gateway, "spec.template.spec.terminationGracePeriodSeconds"));
    expect(grace).toBeGreaterThan(Number(at(container, "lifecycle.preStop.sleep.seconds")) + ownStop * 2);
    // Alive is asked more patiently than ready, so that nobody is killed for a database that is away.
    const patience = (probe: string) =>
      Number(at(container, `${probe}.periodSeconds`)) * Number(at(container, `${probe}.failureThreshold`));
    expect(patience("livenessProbe")).toBeGreaterThan(patience("readinessProbe"));
    expect(patience("startupProbe")).toBeGreaterThanOrEqual(120);
  });

  test("settings, secrets, ports and folders are the server's own", () => {
    const given = at(get("settings.yaml: ConfigMap gateway-settings"), "data") as Record<string, string>;
    expect(unknownSettings(given)).toEqual([]);
    const container = at(gateway, "spec.template.spec.containers.0");
    expect(at(container, "ports.0.containerPort")).toBe(Number(given["PORT"]));
    expect([gatewayImage.ports, workerImage.ports]).toEqual([
      [Number(given["PORT"])],
      [at(worker, "spec.template.spec.containers.0.ports.0.containerPort")],
    ]);
    const mounts = at(container, "volumeMounts") as { name: string; mountPath: string }[];
    const pathOf = (name: string) => mounts.find((mount) => mount.name === name)?.mountPath;
    expect([pathOf("data"), pathOf("temporary")]).toEqual([given["DATA_DIR"], "/tmp"]);
    const secret = at(get("secrets.example.yaml: Secret gateway-secrets"), "stringData") as Record<string, string>;
    const named = Object.values(given).flatMap((value) =>
      value.startsWith(`${pathOf("secrets")}/`) ? [value.split("/").at(-1)] : [],
    );
    expect(Object.keys(secret).sort(byText)).toEqual([...named].sort(byText));
    expect(Object.values(secret).filter((value) => !/^<.+>$/.test(value))).toEqual([]);
    expect(at(gateway, "spec.template.spec.volumes.2.secret.secretName")).toBe("gateway-secrets");
    // The server refuses files of secrets that everybody can read.
    expect(Number(at(gateway, "spec.template.spec.volumes.2.secret.defaultMode")) & 0o004).toBe(0);
    const caddyNames = Object.keys(
      at(parseYaml(read("deploy/compose.yaml"))[0], "services.gateway-1.environment") as Tree,
    );
    expect(Object.keys(given).sort()).toEqual(caddyNames.sort());
  });

  test("what selects pods selects those that are meant", () => {
    const labels = (tree: Tree) => at(tree, "spec.template.metadata.labels");
    for (const path of [
      "spec.selector.matchLabels",
      "spec.template.spec.topologySpreadConstraints.0.labelSelector.matchLabels",
    ])
      expect(at(gateway, path)).toEqual(labels(gateway));
    expect(at(get("gateway.yaml: Service gateway"), "spec.selector")).toEqual(labels(gateway));
    expect(at(get("gateway.yaml: PodDisruptionBudget gateway"), "spec.selector.matchLabels")).toEqual(labels(gateway));
    expect(at(get("network-policy.yaml: NetworkPolicy gateway"), "spec.podSelector.matchLabels")).toEqual(
      labels(gateway),
    );
    expect(at(worker, "spec.selector.matchLabels")).toEqual(labels(worker));
    expect(at(get("worker.yaml: Service worker"), "spec.selector")).toEqual(labels(worker));
    expect(at(get("worker.yaml: NetworkPolicy worker"), "spec.ingress.0.from.0.podSelector.matchLabels")).toEqual(
      labels(gateway),
    );
    expect(at(get("network-policy.yaml: NetworkPolicy gateway"), "spec.egress.2.to.0.podSelector.matchLabels")).toEqual(
      labels(worker),
    );
  });
});
