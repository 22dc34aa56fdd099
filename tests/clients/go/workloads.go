// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// How long before the end of a token a new one is fetched.
const renewBefore = 60 * time.Second

// session is a program that asks for workloads now and then: it signs in when it has no token that
// is good for another minute, and once more when the server does not take the one it has.
type session struct {
	given   orders
	token   string
	renewAt time.Time
	logins  int
}

type listing struct {
	Workloads int `json:"workloads"`
	Logins    int `json:"logins"`
	ExpiresIn int `json:"expiresIn"`
}

// follow lists once for each line of `more`, and answers each with a line.
func follow(given orders, more *bufio.Scanner, out io.Writer) error {
	current := session{given: given}
	answers := json.NewEncoder(out)
	for more.Scan() {
		listed, err := current.list()
		if err != nil {
			return err
		}
		if err := answers.Encode(listed); err != nil {
			return err
		}
	}
	return more.Err()
}

func (s *session) signIn() error {
	token, err := requestToken(s.given)
	if err != nil {
		return err
	}
	s.token = token.AccessToken
	s.renewAt = time.Now().Add(time.Duration(token.ExpiresIn)*time.Second - renewBefore)
	s.logins++
	return nil
}

func (s *session) list() (*listing, error) {
	if time.Now().After(s.renewAt) {
		if err := s.signIn(); err != nil {
			return nil, err
		}
	}
	status, body, err := s.ask()
	if err == nil && status == http.StatusUnauthorized {
		if err = s.signIn(); err == nil {
			status, body, err = s.ask()
		}
	}
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("%d: %s", status, body)
	}
	var found struct {
		Workloads []json.RawMessage `json:"workloads"`
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&found); err != nil {
		return nil, err
	}
	left := time.Until(s.renewAt.Add(renewBefore)).Round(time.Second)
	return &listing{len(found.Workloads), s.logins, int(left.Seconds())}, nil
}

func (s *session) ask() (int, []byte, error) {
	request, err := http.NewRequest(http.MethodGet, s.given.URL+"/api/v1/workloads", nil)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, body, err
}
