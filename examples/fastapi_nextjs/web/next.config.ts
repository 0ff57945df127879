import type { NextConfig } from "next";

// Read by `next build`: build again to change it.
const api = process.env.API_URL ?? "http://127.0.0.1:8000";

const config: NextConfig = {
  async rewrites() {
    return [{ source: "/api/:path*", destination: `${api}/api/:path*` }];
  },
};

export default config;
