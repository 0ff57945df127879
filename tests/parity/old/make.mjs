// An older release of Better Auth makes a database with two users, one of them with a second factor, or visits it again.
// Run in the folder of the release, so that its packages are found there; says in JSON what a browser would know.
import { createRequire } from "node:module";
import path from "node:path";

const { betterAuth } = await import("better-auth");
const { twoFactor, username } = await import("better-auth/plugins");
const { getMigrations } = await import("better-auth/db/migration").catch(() => import("better-auth/db"));

const { DATABASE, DRIVERS, SECRET, BASE_URL, VISITOR } = process.env;

const open = () => {
  const scheme = DATABASE.split(":")[0];
  if (scheme === "sqlite") {
    const Database = createRequire(path.join(DRIVERS, "..", "..", "x.js"))("better-sqlite3");
    return new Database(DATABASE.slice("sqlite:///".length));
  }
  const require = createRequire(path.join(DRIVERS, "x.js"));
  return scheme === "mysql"
    ? require("mysql2/promise").createPool({ uri: DATABASE, timezone: "Z" })
    : new (require("pg").Pool)({ connectionString: DATABASE });
};

const auth = betterAuth({
  secret: SECRET,
  baseURL: BASE_URL,
  database: open(),
  emailAndPassword: { enabled: true },
  rateLimit: { storage: "database" },
  plugins: [username(), twoFactor({ issuer: "Acme", skipVerificationOnEnable: true })],
});

const signUp = async (name) => {
  const body = { name, username: name.toLowerCase(), email: `${name.toLowerCase()}@example.com`, password: "password123" };
  const response = await auth.api.signUpEmail({ body, asResponse: true });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return response.headers.getSetCookie().map((each) => each.split(";")[0]).join("; ");
};

if (VISITOR) {
  console.log(JSON.stringify({ cookie: await signUp(VISITOR) }));
} else {
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
  const [ann, ben] = [await signUp("Ann"), await signUp("Ben")];
  const { totpURI } = await auth.api.enableTwoFactor({
    body: { password: "password123" },
    headers: new Headers({ cookie: ben }),
  });
  console.log(JSON.stringify({ cookie: ann, totpURI }));
}
process.exit(0);
