-- SPDX-License-Identifier: Apache-2.0
-- What wrk sends: every line of a file is one request, in turn. Arguments: the kind ("token",
-- "form", "bearer" or "forward"), the file, and the path to use instead of the kind's own.
local requests = {}
local sent = 0

local function token_request(line, path)
    local id, secret = line:match("(%S+) (%S+)")
    local body = '{"grantType":"client_credentials","clientId":"' .. id ..
        '","clientSecret":"' .. secret .. '"}'
    return wrk.format("POST", path or "/api/v1/token", {["Content-Type"] = "application/json"}, body)
end

local function form_request(line, path)
    local id, secret = line:match("(%S+) (%S+)")
    local body = "grant_type=client_credentials&client_id=" .. id .. "&client_secret=" .. secret ..
        "&resource=urn:bench:api"
    local headers = {["Content-Type"] = "application/x-www-form-urlencoded"}
    return wrk.format("POST", path, headers, body)
end

local function bearer_request(line, path)
    local own_path, token = line:match("(%S+) (%S+)")
    return wrk.format("GET", path or own_path, {["Authorization"] = "Bearer " .. token})
end

-- As a gateway asks about a request to that path; or that request itself, with a path to send it to.
local function forward_request(line, path)
    local own_path, token = line:match("(%S+) (%S+)")
    local headers = {["Authorization"] = "Bearer " .. token, ["X-Forwarded-Method"] = "GET",
        ["X-Forwarded-Host"] = "api.bench", ["X-Forwarded-Uri"] = own_path}
    return wrk.format("GET", path or "/forward-auth", headers)
end

function init(arguments)
    local makers = {token = token_request, form = form_request, bearer = bearer_request,
        forward = forward_request}
    for line in io.lines(arguments[2]) do
        requests[#requests + 1] = makers[arguments[1]](line, arguments[3])
    end
end

function request()
    sent = sent + 1
    return requests[(sent - 1) % #requests + 1]
end

function done(summary)
    local errors = summary.errors
    io.write(string.format("requests %d failed %d\n", summary.requests, errors.connect +
        errors.read + errors.write + errors.status + errors.timeout))
end
