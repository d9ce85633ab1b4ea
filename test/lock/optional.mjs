// Reading package-lock.json for what it lacks: entries of optional dependencies that nothing in the file resolves.
// A lock made where only one platform's binaries can be fetched leaves the others out, and `npm ci` then refuses it
// everywhere ("EUSAGE Missing: @oxlint/binding-…").

const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = [
  'arm',
  'arm64',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
];

/**
 * Every optional dependency without an entry.
 * @param {{packages: Record<string, import("./optional.d.mts").LockEntry>}} lock
 * @returns {{name: string, version: string, dev: boolean}[]}
 */
export function missingOptionals(lock) {
  const missing = new Map();
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (resolves(lock, path, name)) continue;
      const known = missing.get(name);
      missing.set(name, { name, version, dev: (known?.dev ?? true) && entry.dev === true });
    }
  }
  return [...missing.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The platform that the end of a binary package's name speaks of: `binding-linux-arm64-musl`, `win32-x64`.
 * @param {string} name
 * @returns {{os: string[], cpu: string[], libc?: string[]} | null}
 */
export function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = SYSTEMS.find((word) => words.includes(word));
  const cpu = PROCESSORS.find((word) => words.includes(word));
  if (!os || !cpu) return null;
  const abi = words.at(-1) ?? '';
  const libc =
    os !== 'linux' ? null : abi.startsWith('musl') ? 'musl' : abi.startsWith('gnu') ? 'glibc' : null;
  return { os: [os], cpu: [cpu], ...(libc ? { libc: [libc] } : {}) };
}

/**
 * The entry that npm itself would write for a binary that it did not fetch.
 * @param {{name: string, version: string, dev: boolean}} dependency
 * @returns {import("./optional.d.mts").LockEntry}
 */
export function entryFor({ name, version, dev }) {
  const platform = platformOf(name);
  if (!platform) throw new Error(`${name}: the name does not say which platform it is for`);
  if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`${name}: ${version} is a range, not a version`);
  const { cpu, os, libc } = platform;
  return { version, cpu, ...(dev ? { dev } : {}), ...(libc ? { libc } : {}), optional: true, os };
}

/** As Node looks modules up: from the package's own folder outwards. */
function resolves(lock, path, name) {
  for (let base = path; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    if (lock.packages[base === '' ? `node_modules/${name}` : `${base}/node_modules/${name}`]) return true;
    if (base === '') return false;
  }
}
