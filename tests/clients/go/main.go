// SPDX-License-Identifier: Apache-2.0

// A client with the standard library only: gets a token, lists projects, and verifies the token
// through discovery and the key set. It reads its orders, one line, from standard input and answers
// in JSON. Called with "workloads", it lists those instead, once for each further line.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

type orders struct {
	URL          string `json:"url"`
	Discovery    string `json:"discovery"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
}

type tokenResponse struct {
	AccessToken string `json:"accessToken"`
	ExpiresIn   int    `json:"expiresIn"`
}

type project struct {
	Name      string `json:"name"`
	ID        string `json:"id"`
	ClusterID string `json:"clusterId"`
}

type report struct {
	ExpiresIn int                    `json:"expiresIn"`
	Projects  []project              `json:"projects"`
	Algorithm string                 `json:"algorithm"`
	Claims    map[string]interface{} `json:"claims"`
}

var client = &http.Client{Timeout: 30 * time.Second}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Scan()
	var given orders
	if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
		fail(err)
	}
	if len(os.Args) > 1 && os.Args[1] == "workloads" {
		if err := follow(given, lines, os.Stdout); err != nil {
			fail(err)
		}
		return
	}
	result, err := run(given)
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func run(given orders) (*report, error) {
	token, err := requestToken(given)
	if err != nil {
		return nil, err
	}
	var listed struct {
		Projects []project `json:"projects"`
	}
	if err := get(given.URL+"/api/v1/org-unit/projects", token.AccessToken, &listed); err != nil {
		return nil, err
	}
	algorithm, claims, err := verify(given.Discovery, token.AccessToken)
	if err != nil {
		return nil, err
	}
	return &report{token.ExpiresIn, listed.Projects, algorithm, claims}, nil
}

func requestToken(given orders) (*tokenResponse, error) {
	body, err := json.Marshal(map[string]string{
		"grantType":    "client_credentials",
		"clientId":     given.ClientID,
		"clientSecret": given.ClientSecret,
	})
	if err != nil {
		return nil, err
	}
	answer, err := client.Post(given.URL+"/api/v1/token", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	var token tokenResponse
	if err := decode(answer, &token); err != nil {
		return nil, err
	}
	return &token, nil
}

func get(url string, token string, into interface{}) error {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	return decode(answer, into)
}

func decode(answer *http.Response, into interface{}) error {
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", answer.Status, body)
	}
	return json.Unmarshal(body, into)
}
