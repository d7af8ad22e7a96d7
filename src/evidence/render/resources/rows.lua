-- Rows of pipe tables whose cells are plain text, as show() writes them, read and written without Pandoc's help:
-- a book has many thousand of them. All other tables, and head and columns of these, stay with Pandoc.
local common = require 'common'
local plain = require 'plain'

local KEY = 'evidencerows'
local rows = { kept = {}, key = KEY }


----- Reading ----------------------------------------------------------------------------------------

-- The Markdown of one cell as kind, title and text; nil where it is more than plain text.
local function cell_of(markdown)
  local title, text = markdown:match('^<span class="v" title="([^"<]*)">(.*)</span>$')
  local kind = title and 'value' or 'text'
  if not title then
    text = markdown:match('^%*%*(.*)%*%*$')
    kind = text and 'strong' or 'text'
    text = text or markdown
  end
  local bare = text:gsub('\\%p', '')
  if bare:find('[\\`*_{}%[%]<>$@^~#&"]') or kind == 'strong' and (text == '' or text:find('^[-+=/( ]') or text:find(' $')) then
    return nil
  end
  return { kind = kind, title = title, markdown = text }
end

-- A line of a pipe table as cells; nil where it is no such line, or one that Pandoc had better read.
local function row_of(line, count)
  local inner = line:match('^|(.*)|$')
  if not inner then return nil end
  local cells = {}
  for cell in (inner:gsub('\\|', '\1') .. '|'):gmatch('([^|]*)|') do
    cells[#cells + 1] = cell_of((cell:match('^%s*(.-)%s*$'):gsub('\1', '\\|')))
    if #cells == 0 or count and #cells > count then return nil end
  end
  local _, bars = inner:gsub('\\|', ''):gsub('|', '')
  return #cells == bars + 1 and (not count or #cells == count) and cells or nil
end

local function rule_columns(line)
  if not line or not line:match('^|[:|-]+|$') then return nil end
  local _, bars = line:gsub('|', '')
  return bars - 1
end

-- The table that begins at a line: where it ends, and its rows; no rows where Pandoc must read them.
local function table_at(lines, first)
  local last = first
  while lines[last + 1] and lines[last + 1]:sub(1, 1) == '|' do last = last + 1 end
  local count, found = rule_columns(lines[first + 1]), {}
  if not count or last < first + 2 or lines[last + 1] and lines[last + 1] ~= '' then return last end
  for position = first + 2, last do
    found[#found + 1] = row_of(lines[position], count)
    if #found ~= position - first - 1 then return last end
  end
  return last, found, count
end

-- One row in place of all: the same columns, and as long as the longest, since that decides on their widths. Whether
-- a row is longer than a line is all that Pandoc asks.
local BEYOND = 120
local function stub(lines, first, last, count)
  local longest = 0
  for position = first, last do longest = math.max(longest, utf8.len(lines[position]) or #lines[position]) end
  longest = math.min(longest, BEYOND)
  local key = KEY .. #rows.kept .. 'x'
  return '| ' .. key .. ('x'):rep(longest - #key) .. ' |' .. (' |'):rep(count - 1)
end

-- Keep the rows of a text's plain tables here; what is returned has one row with their key instead.
function rows.take(text)
  if plain.off then return text end
  local lines, out, fence = {}, {}, nil
  for line in (text .. '\n'):gmatch('([^\n]*)\n') do lines[#lines + 1] = line end
  local position = 1
  while position <= #lines do
    local line = lines[position]
    local mark = line:match('^%s*(```+)') or line:match('^%s*(~~~+)')
    if fence then
      if mark and mark:sub(1, #fence) == fence and line:match('^%s*[`~]+%s*$') then fence = nil end
    elseif mark then
      fence = mark
    elseif line:sub(1, 1) == '|' and (position == 1 or lines[position - 1] == '' or lines[position - 1]:find('^:::')) then
      local last, found, count = table_at(lines, position)
      if found then
        rows.kept[#rows.kept + 1] = found
        table.move(lines, position, position + 1, #out + 1, out)
        out[#out + 1] = stub(lines, position, last, count)
      else
        table.move(lines, position, last, #out + 1, out)
      end
      position, line = last, nil
    end
    if line then out[#out + 1] = line end
    position = position + 1
  end
  return table.concat(out, '\n')
end

-- The rows kept for a table that Pandoc has read; nil where it has its own.
function rows.of(tbl)
  local first = tbl.bodies[1] and tbl.bodies[1].body[1]
  local key = first and #first.cells > 0 and common.stringify(first.cells[1].contents):match('^' .. KEY .. '(%d+)x+$')
  return key and rows.kept[tonumber(key)], key
end

----- Texts ------------------------------------------------------------------------------------------

local SEPARATOR = '%%%cell%%%'

-- Have Pandoc read all texts that are more than words, and write them, each as one cell of one table.
local function ask(texts, format, write)
  local lines = { '|text|', '|:---|' }
  for _, text in ipairs(texts) do lines[#lines + 1] = '|' .. text .. '|' end
  local read = pandoc.read(table.concat(lines, '\n'), rows.reader).blocks[1].bodies[1].body
  local blocks, answers = pandoc.Blocks {}, {}
  for position, row in ipairs(read) do
    answers[position] = { plain = common.stringify(row.cells[1].contents) }
    blocks:extend(row.cells[1].contents)
    blocks:insert(pandoc.RawBlock(format, SEPARATOR))
  end
  local position = 0
  for text in write(blocks):gmatch('(.-)%%%%%%cell%%%%%%') do
    position = position + 1
    answers[position].set = text:match('^%s*(.-)%s*$')
  end
  return answers
end

-- Give every cell that was kept its words alone (plain) and its text as a format has it (set).
function rows.settle(format, write)
  local known, texts = {}, {}
  for _, found in ipairs(rows.kept) do
    for _, row in ipairs(found) do
      for _, cell in ipairs(row) do
        local text = cell.markdown
        if known[text] == nil then
          local words = plain.words(text)
          known[text] = words and { plain = words, set = plain.write[format](words) } or false
          if not known[text] then texts[#texts + 1] = text end
        end
      end
    end
  end
  local answers = #texts > 0 and ask(texts, format, write) or {}
  for position, text in ipairs(texts) do known[text] = answers[position] end
  for _, found in ipairs(rows.kept) do
    for _, row in ipairs(found) do
      for _, cell in ipairs(row) do
        cell.plain, cell.set = known[cell.markdown].plain, known[cell.markdown].set
      end
      row.group = rows.heads(row)
    end
  end
end

-- Does a row only carry a heading for the rows below? As common.is_group_row.
function rows.heads(row)
  if #row < 2 or row[1].plain == '' then return false end
  for index = 2, #row do
    if row[index].plain ~= '' then return false end
  end
  return true
end

return rows
