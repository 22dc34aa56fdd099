// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

type jwk struct {
	KeyID string `json:"kid"`
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	X     string `json:"x"`
	Y     string `json:"y"`
	N     string `json:"n"`
	E     string `json:"e"`
}

// verify checks the signature with the key that discovery leads to; it gives algorithm and claims.
func verify(discovery string, token string) (string, map[string]interface{}, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", nil, errors.New("a token has three parts")
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	if err := json.Unmarshal(unbase64(parts[0]), &header); err != nil {
		return "", nil, err
	}
	key, err := findKey(discovery, header.KeyID)
	if err != nil {
		return "", nil, err
	}
	signed := []byte(parts[0] + "." + parts[1])
	if !isSigned(header.Algorithm, key, signed, unbase64(parts[2])) {
		return "", nil, fmt.Errorf("the %s signature is wrong", header.Algorithm)
	}
	var claims map[string]interface{}
	if err := json.Unmarshal(unbase64(parts[1]), &claims); err != nil {
		return "", nil, err
	}
	return header.Algorithm, claims, nil
}

func findKey(discovery string, id string) (*jwk, error) {
	var metadata struct {
		KeySet string `json:"jwks_uri"`
	}
	if err := get(discovery, "", &metadata); err != nil {
		return nil, err
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := get(metadata.KeySet, "", &set); err != nil {
		return nil, err
	}
	for i := range set.Keys {
		if set.Keys[i].KeyID == id {
			return &set.Keys[i], nil
		}
	}
	return nil, fmt.Errorf("no key %q in the set", id)
}

func isSigned(algorithm string, key *jwk, signed []byte, signature []byte) bool {
	digest := sha256.Sum256(signed)
	switch algorithm {
	case "ES256":
		public := &ecdsa.PublicKey{Curve: elliptic.P256(), X: number(key.X), Y: number(key.Y)}
		if len(signature) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(public, digest[:], r, s)
	case "RS256":
		public := &rsa.PublicKey{N: number(key.N), E: int(number(key.E).Int64())}
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	case "Ed25519", "EdDSA":
		public := unbase64(key.X)
		return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, signed, signature)
	}
	return false
}

func number(text string) *big.Int {
	return new(big.Int).SetBytes(unbase64(text))
}

// unbase64 gives nothing for what is not unpadded base64url; no signature fits that.
func unbase64(text string) []byte {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return data
}
