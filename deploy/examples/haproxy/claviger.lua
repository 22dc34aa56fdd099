-- SPDX-License-Identifier: Apache-2.0
-- http-request lua.claviger SOCKET NAMES: asks Claviger, through the listener at SOCKET, about the
-- request, with the client's headers of these NAMES (separated by commas). Where the request may
-- pass, it holds the identity headers afterwards and txn.claviger is "permitted"; the next rule of
-- the configuration must deny all others.
local identity = {"x-auth-subject", "x-auth-subject-type", "x-auth-subject-id", "x-auth-tenant",
                  "x-auth-permission", "x-auth-scope"}
local told = {"www-authenticate", "content-type", "x-request-id"}
local milliseconds = 3000 -- one more second than the listener waits

local function headers_of_question(txn, names)
    local sent = txn.http:req_get_headers()
    local headers = {}
    for name in names:lower():gmatch("[^,%s]+") do
        headers[name] = sent[name] -- every field of this name, as it came
    end
    -- Last, so that none of the names replaces them.
    headers["host"] = sent["host"]
    headers["x-forwarded-method"] = {txn.sf:method()}
    headers["x-forwarded-host"] = sent["host"]
    headers["x-forwarded-uri"] = {txn.sf:pathq()}
    headers["x-forwarded-for"] = {txn.sf:src()}
    return headers
end

local function permit(txn, answer)
    for _, name in ipairs(identity) do
        txn.http:req_set_header(name, answer.headers[name][0])
    end
    -- There may be no room for them, and nobody says so.
    local present = txn.http:req_get_headers()
    for _, name in ipairs(identity) do
        if (present[name] or {})[0] ~= answer.headers[name][0] then
            return
        end
    end
    txn:set_var("txn.claviger", "permitted")
end

local function refuse(txn, answer)
    local reply = txn:reply({status = answer.status, body = answer.body})
    for _, name in ipairs(told) do
        for _, value in pairs(answer.headers[name] or {}) do
            reply:add_header(name, value)
        end
    end
    txn:done(reply)
end

core.register_action("claviger", {"http-req"}, function(txn, socket, names)
    txn:set_var("txn.claviger", "asked")
    local answer = core.httpclient():get({
        url = "http://claviger/forward-auth", dst = socket, timeout = milliseconds,
        headers = headers_of_question(txn, names)})
    if answer.status == 200 then
        permit(txn, answer)
    elseif answer.status == 401 or answer.status == 403 then
        refuse(txn, answer)
    end
end, 2)
