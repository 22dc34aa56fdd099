// SPDX-License-Identifier: Apache-2.0
// Verifies a token with jose, by the keys that discovery leads to. Orders come on standard input.
import { readFileSync } from "node:fs";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { discovery, token, issuer, audience } = JSON.parse(readFileSync(0, "utf8"));
const metadata = await (await fetch(discovery)).json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer, audience });
console.log(JSON.stringify({ payload, protectedHeader }));
