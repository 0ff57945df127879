// Better Auth itself on SQLite behind node's HTTP server; the harness configures it through the environment.
import http from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { bearer, twoFactor, username } from "better-auth/plugins";
import Database from "better-sqlite3";

const { env } = process;
const listed = (name) => (env[name] ?? "").split(",").filter(Boolean);
const seconds = (name) => (env[name] === undefined ? undefined : Number(env[name]));

const PLUGINS = {
  bearer: () => bearer(),
  username: () => username(),
  "two-factor": () => twoFactor({ issuer: env.ISSUER }),
};

const database = new Database(env.DB);
database.pragma("journal_mode = WAL");

const auth = betterAuth({
  database,
  secret: env.SECRET,
  baseURL: env.BASE_URL,
  trustedOrigins: listed("TRUSTED_ORIGINS"),
  emailAndPassword: { enabled: env.EMAIL_AND_PASSWORD !== "0" },
  session: {
    expiresIn: seconds("EXPIRES_IN"),
    updateAge: seconds("UPDATE_AGE"),
    freshAge: seconds("FRESH_AGE"),
    cookieCache: env.COOKIE_CACHE
      ? { enabled: true, maxAge: seconds("COOKIE_CACHE_MAX_AGE"), strategy: env.COOKIE_CACHE }
      : undefined,
  },
  rateLimit: { enabled: env.RATE_LIMIT === "1" },
  disabledPaths: listed("DISABLED_PATHS"),
  advanced: { skipTrailingSlashes: env.SKIP_TRAILING_SLASHES === "1" },
  plugins: listed("PLUGINS").map((id) => PLUGINS[id]()),
  telemetry: { enabled: false },
  logger: { disabled: true },
});

const migrations = await getMigrations(auth.options);
await migrations.runMigrations();

const handler = toNodeHandler(auth);
// A target that is no path makes the handler reject, which would end the process: the connection is dropped instead.
const server = http.createServer((request, response) => handler(request, response).catch(() => response.destroy()));
server.listen(Number(env.PORT), "127.0.0.1", () => console.log("ready"));
process.on("SIGTERM", () => process.exit(0));
