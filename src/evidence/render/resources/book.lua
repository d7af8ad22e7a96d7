-- Run by `pandoc lua book.lua manifest.json`: reads the whole book once, then writes pages or one Typst document.
package.path = (arg[0]:match('^(.*)[/\\]') or '.') .. '/?.lua;' .. package.path

local common = require 'common'
local labels = require 'labels'

local manifest = pandoc.json.decode(common.read(arg[1]), false)
for _, chapter in ipairs(manifest.chapters) do
  if chapter.title == '' then chapter.title = nil end
end

local scan = labels.new(manifest)
local docs, literature = scan:book()

if #scan.faults == 0 and manifest.mode ~= 'check' then
  require(manifest.mode).write(scan, docs, literature)
end

local files = {}
for path in pairs(scan.files) do files[#files + 1] = path end
table.sort(files)
-- Empty Lua tables are ambiguous in JSON: the reader takes an empty object as an empty list.
common.write(manifest.result, pandoc.json.encode { faults = scan.faults, notes = scan.notes, files = files })
