-- Writes the whole book as one Typst document.
local common = require 'common'
local plain = require 'plain'
local rows = require 'rows'
local stringify = common.stringify

local paper = {}

local function raw(text) return pandoc.RawBlock('typst', text) end
local function raw_inline(text) return pandoc.RawInline('typst', text) end

local function quoted(text)
  return '"' .. text:gsub('\\', '\\\\'):gsub('"', '\\"'):gsub('%s+', ' ') .. '"'
end

local function typst(blocks)
  local text = pandoc.write(pandoc.Pandoc(blocks), 'typst-citations', pandoc.WriterOptions { wrap_text = 'none' })
  return (text:gsub('%s+$', ''))
end

local function content(inlines)
  if #inlines == 0 then return 'none' end
  return '[' .. (plain.inlines(inlines, 'typst') or typst { pandoc.Plain(inlines) }) .. ']'
end

-- Anchors other than labels are unique in a chapter only.
local function anchor(scan, chapter, id)
  return scan.index[id] and id or chapter.key .. '-' .. id
end

----- Table widths, in points ---------------------------------------------------------------------------------

local PORTRAIT, LANDSCAPE, MEASURE = 504, 746, 374 -- text widths of the page and of prose
local DEPTH = { [PORTRAIT] = 690, [LANDSCAPE] = 440 } -- heights of the page that a table can fill
local GUTTER = 10                -- space between two columns
local TALL = 200                 -- a table taller than this may break across pages
local UNBROKEN = 18              -- ems that a figure may take without being broken
local HEADER = 9                 -- ems that a header asks for
local LINES = 6                  -- a row of more lines than this is hard to read across
local LOW = 200                  -- a table lower than this is not worth a turned page, whatever its rows
local CLOSING = 1600             -- characters that may end a chapter in one piece, rather than alone over the page
local NARROW, WIDE = 'iljtfrI.,:;|!\'()[]-/ ', 'mwMWQO%@'

-- The width of a text in ems, near enough for sharing out a line.
local function ems(text)
  local width = 0
  for _, code in utf8.codes(text) do
    local char = utf8.char(code)
    if NARROW:find(char, 1, true) then width = width + 0.36
    elseif WIDE:find(char, 1, true) then width = width + 0.86
    elseif char:match('%u') then width = width + 0.66
    else width = width + 0.58 end
  end
  return width
end

local function longest_token(text)
  local longest = 0
  for token in text:gmatch('[^%s]+') do longest = math.max(longest, ems(token)) end
  return longest
end

-- What a cell asks of its column: its longest word, all of it on one line, and a figure in one piece.
local function ask(column, text, header)
  local whole, token = ems(text), longest_token(text)
  if header then
    column.token = math.max(column.token, token * 1.06)
    column.natural = math.max(column.natural, math.min(whole * 1.06, HEADER))
    return whole * 1.06
  end
  column.token = math.max(column.token, token)
  column.natural = math.max(column.natural, whole)
  if whole < UNBROKEN and common.is_figure(text) then column.figure = math.max(column.figure, whole) end
  return whole
end

-- The columns' needs, and for every row the length of each of its cells.
local function measure_columns(tbl, body)
  local columns, lengths = {}, {}
  for index, spec in ipairs(tbl.colspecs) do
    local aligned = spec[1] == 'AlignRight' or spec[1] == 'AlignCenter'
    columns[index] = { token = 0, natural = 0, figure = 0, aligned = aligned, share = spec[2] or 1 / #tbl.colspecs }
  end
  for _, row in ipairs(tbl.head.rows) do
    local cells = {}
    for index, cell in ipairs(row.cells) do cells[index] = ask(columns[index], stringify(cell.contents), true) end
    lengths[#lengths + 1] = cells
  end
  for _, row in ipairs(body) do
    local cells = {}
    for index, cell in ipairs(row.group and {} or row) do cells[index] = ask(columns[index], cell.plain, false) end
    lengths[#lengths + 1] = cells
  end
  for _, column in ipairs(columns) do column.natural = math.max(column.natural, column.token) + 0.1 end
  return columns, lengths
end

local function total(columns, name)
  local sum = 0
  for _, column in ipairs(columns) do sum = sum + column[name] end
  return sum
end

-- Two ways to set a column: with room for words and figures, or as narrow as can still be read.
local function roomy(column)
  return math.max(column.token, column.figure, math.min(column.natural, math.max(8, 2.4 * math.sqrt(column.natural))))
end

local function tight(column)
  return math.max(column.token, column.aligned and column.figure or 0, math.min(column.natural, 6))
end

-- Pour what is left of the line into the columns by weight; a column that has all it wants takes no more.
local function pour(columns, widths, spare, weight, limit)
  for _ = 1, #columns do
    local open, weights = {}, 0
    for index, column in ipairs(columns) do
      if widths[index] < limit(column) - 0.01 then
        open[#open + 1] = index
        weights = weights + weight(column)
      end
    end
    if #open == 0 or spare < 0.01 then break end
    local poured = 0
    for _, index in ipairs(open) do
      local more = math.min(spare * weight(columns[index]) / weights, limit(columns[index]) - widths[index])
      widths[index] = widths[index] + more
      poured = poured + more
    end
    spare = spare - poured
  end
  return spare
end

-- What a column would like beyond its least, softened so that one long text does not take everything.
local function wish(column)
  return math.max(column.natural - column.least, 0.01) ^ 0.75 * math.sqrt(column.share)
end

-- Share out the line: what each column needs, then what it would like, then the rest.
local function column_widths(columns, size, page)
  local gutters = GUTTER * (#columns - 1)
  local natural = total(columns, 'natural') * size + gutters
  local line = (natural <= MEASURE and MEASURE or page) - gutters
  local least = total(columns, 'least') * size
  local widths, shrink = {}, math.min(1, line / least)
  for index, column in ipairs(columns) do widths[index] = column.least * size * shrink end
  local spare = pour(columns, widths, line - least * shrink, wish, function(column) return column.natural * size end)
  pour(columns, widths, spare, function(column) return column.natural end, function() return math.huge end)
  for index in ipairs(columns) do
    widths[index] = widths[index] + ((index == 1 or index == #columns) and GUTTER / 2 or GUTTER)
  end
  return widths, natural <= MEASURE
end

local function table_height(lengths, widths, size)
  local height, most = 0, 1
  for _, cells in ipairs(lengths) do
    local lines = 1
    for index, length in ipairs(cells) do
      local room = math.max((widths[index] or 40) - GUTTER, 10)
      lines = math.max(lines, math.ceil(length * size / room - 0.05))
    end
    most = math.max(most, lines)
    height = height + lines * size * 1.3 + 6
  end
  return height, most
end

local function tightest(column)
  return math.max(column.token, math.min(column.natural, 6))
end

-- What is tried in turn; a table is turned only where upright is too narrow.
local TRIALS = {
  { PORTRAIT, roomy, { 8.5, 8 } }, { PORTRAIT, tight, { 8.5, 8, 7.5 } }, { PORTRAIT, tightest, { 8.5, 8, 7.5 } },
  { LANDSCAPE, roomy, { 8.5, 8 } }, { LANDSCAPE, tight, { 8.5, 8, 7.5, 7 } },
}

local function try(columns, lengths, page, size)
  local least = total(columns, 'least') * size + GUTTER * (#columns - 1)
  local widths, narrow = column_widths(columns, size, page)
  local height, most = table_height(lengths, widths, size)
  return { fits = least <= page, page = page, size = size, widths = widths, narrow = narrow, height = height, most = most }
end

local function better(one, other)
  if one.fits ~= other.fits then return one.fits end
  return one.height / DEPTH[one.page] < other.height / DEPTH[other.page]
end

-- The first upright setting that fits and keeps rows short; else the one that fits and takes the fewest pages.
local function choose(columns, lengths)
  local best
  for _, trial in ipairs(TRIALS) do
    local page, least_of, sizes = table.unpack(trial)
    for _, column in ipairs(columns) do column.least = least_of(column) + 0.1 end
    for _, size in ipairs(sizes) do
      local setting = try(columns, lengths, page, size)
      if page == PORTRAIT and setting.fits and (setting.most <= LINES or setting.height < LOW) then return setting end
      if not best or better(setting, best) then best = setting end
    end
  end
  return best
end

----- Tables -----------------------------------------------------------------------------------------------------

local SEPARATOR = '%%%cell%%%'
local ALIGN = { AlignLeft = 'left', AlignRight = 'right', AlignCenter = 'center', AlignDefault = 'left' }

-- The inlines of a cell that is one line of text.
local function line_of(cell)
  local only = cell.contents[1]
  return #cell.contents == 0 and pandoc.Inlines {} or #cell.contents == 1 and only.t == 'Plain' and only.content or nil
end

-- All cells of some rows as Typst text, with at most one call of the writer.
local function cell_texts(rows)
  local blocks, texts, asked = pandoc.Blocks {}, {}, {}
  for _, row in ipairs(rows) do
    for _, cell in ipairs(row.cells) do
      local line = line_of(cell)
      local text = line and plain.inlines(line, 'typst')
      texts[#texts + 1] = text or ''
      if not text then
        asked[#asked + 1] = #texts
        blocks:extend(cell.contents)
        blocks:insert(raw(SEPARATOR))
      end
    end
  end
  if #asked == 0 then return texts end
  local position = 0
  for text in typst(blocks):gmatch('(.-)%%%%%%cell%%%%%%') do
    position = position + 1
    texts[asked[position]] = text:match('^%s*(.-)%s*$')
  end
  return texts
end

local function row_text(texts, position, count)
  local cells = {}
  for index = 1, count do cells[index] = '[' .. (texts[position + index] or '') .. ']' end
  return table.concat(cells, ', ')
end

-- The rows of a table that Pandoc has read, with the words and the Typst text of each cell, as kept rows have them.
local function own_rows(tbl)
  local found, all = {}, {}
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do all[#all + 1] = row end
  end
  local texts, position = cell_texts(all), 0
  for _, row in ipairs(all) do
    local cells = { group = common.is_group_row(row) }
    for index, cell in ipairs(row.cells) do
      cells[index] = { kind = 'text', plain = stringify(cell.contents), set = texts[position + index] }
    end
    found[#found + 1] = cells
    position = position + #row.cells
  end
  return found
end

local function set_cell(cell)
  return cell.kind == 'strong' and '#strong[' .. cell.set .. ']' or cell.set
end

local function rows_text(body, columns)
  local out = {}
  for _, row in ipairs(body) do
    if row.group then
      out[#out + 1] = '  evidence-group(' .. columns .. ')[' .. set_cell(row[1]) .. '],'
    else
      local cells = {}
      for index, cell in ipairs(row) do cells[index] = '[' .. set_cell(cell) .. ']' end
      out[#out + 1] = '  ' .. table.concat(cells, ', ') .. ','
    end
  end
  return table.concat(out, '\n')
end

local function points(widths)
  local out = {}
  for index, width in ipairs(widths) do out[index] = string.format('%.1fpt', width) end
  return '(' .. table.concat(out, ', ') .. ',)'
end

local function alignments(specs)
  local out = {}
  for index, spec in ipairs(specs) do out[index] = ALIGN[spec[1]] or 'left' end
  return '(' .. table.concat(out, ', ') .. ',)'
end

local function table_blocks(tbl)
  local body = rows.of(tbl) or own_rows(tbl)
  local setting = choose(measure_columns(tbl, body))
  local heads = cell_texts(tbl.head.rows)
  local header = #tbl.head.rows > 0 and '(' .. row_text(heads, 0, #tbl.colspecs) .. ',)' or '()'
  local text = '#evidence-table(columns: ' .. points(setting.widths) .. ', align: ' .. alignments(tbl.colspecs)
    .. ', size: ' .. setting.size .. 'pt, header: ' .. header .. ',\n' .. rows_text(body, #tbl.colspecs) .. '\n)'
  local attributes = { turned = tostring(setting.page == LANDSCAPE), narrow = tostring(setting.narrow),
    tall = tostring(setting.height > TALL) }
  return pandoc.Div({ raw(text) }, pandoc.Attr('', { 'sized' }, attributes))
end

----- Blocks ------------------------------------------------------------------------------------------------------

local function wide(blocks, class) return pandoc.Div(blocks, pandoc.Attr('', { 'wide', class or 'upright' })) end

-- A figure in several drawings breaks between them.
local function drawings(blocks)
  local count = 0
  pandoc.Div(blocks):walk { RawInline = function(inline)
    if inline.text:match('^#evidence%-image%(') then count = count + 1 end
  end }
  return count
end

local function float(div)
  local caption, body = common.float_parts(div)
  local above, note = common.split_note(caption)
  local headline, rest = common.split_headline(above)
  local is, blocks = { turned = false, tall = false, narrow = false }, pandoc.Blocks {}
  for _, block in ipairs(body) do
    if block.t == 'Div' and block.classes:includes('sized') then
      for name in pairs(is) do is[name] = block.attributes[name] == 'true' end
      blocks:extend(block.content)
    else
      blocks:insert(block)
    end
  end
  is.tall = is.tall or drawings(blocks) > 1
  local number = div.attributes.number
  local call = '#evidence-float(kind: "' .. div.attributes.kind .. '", number: ' .. (number and quoted(number) or 'none')
    .. ', id: ' .. (div.identifier ~= '' and quoted(div.identifier) or 'none') .. ', turned: ' .. tostring(is.turned)
    .. ', tall: ' .. tostring(is.tall) .. ', narrow: ' .. tostring(is.narrow) .. ', floating: false,\n  caption: ' .. content(headline) .. ',\n  rest: ' .. content(rest) .. ',\n  note: ' .. content(note) .. ',\n)['
  local out = pandoc.Blocks { raw(call) }
  out:extend(blocks)
  out:insert(raw(']'))
  return wide(out, is.turned and 'turned')
end

local function callout(div)
  local class, title, blocks = common.callout(div)
  if not class then return nil end
  local out = pandoc.Blocks { raw('#evidence-callout("' .. class:sub(9) .. '", ' .. content(title) .. ')[') }
  out:extend(blocks)
  out:insert(raw(']'))
  return wide(out)
end

local function heading(scan, chapter, element)
  local number = element.attributes.number
  return wide({ raw('#evidence-heading(' .. element.level .. ', ' .. (number and quoted(number) or 'none') .. ', '
    .. quoted(anchor(scan, chapter, element.identifier)) .. (chapter.crowded and ', listed: false' or '') .. ')'
    .. content(element.content)) }, 'heading')
end

local function division(div)
  if not common.visible(div, 'typst') then return {} end
  if div.classes:includes('float') and div.attributes.kind then return float(div) end
  if div.classes:includes('answers') then
    local out = pandoc.Blocks { raw('#evidence-answers[') }
    out:extend(div.content)
    out:insert(raw(']'))
    return wide(out)
  end
  for _, kept in ipairs { 'sized', 'wide', 'float-caption', 'heading-of-callout' } do
    if div.classes:includes(kept) then return nil end
  end
  return callout(div) or div.content
end

----- Inlines -----------------------------------------------------------------------------------------------------

local UNITS = { ['%'] = '%', ['in'] = 'in', cm = 'cm', mm = 'mm', pt = 'pt', em = 'em' }

local function width_of(element)
  local number, unit = (element.attributes.width or ''):match('^([%d.]+)([%a%%]*)$')
  if not number then return 'auto' end
  if UNITS[unit] then return number .. unit end
  return tonumber(number) * 0.75 .. 'pt'
end

local function image(chapter, element)
  local alt = element.attributes['fig-alt'] or stringify(element.caption)
  local path = '/' .. common.join(chapter.folder, common.unquote(element.src))
  local name = element.classes:includes('float-image') and 'evidence-image' or 'evidence-inline-image'
  return raw_inline('#' .. name .. '(' .. quoted(path) .. ', ' .. quoted(alt) .. ', ' .. width_of(element) .. ');')
end

local function linked(target, inlines)
  local out = pandoc.Inlines { raw_inline('#link(' .. target .. ')[') }
  out:extend(inlines)
  out:insert(raw_inline('];'))
  return out
end

local function link(scan, chapter, element)
  local to, id, file = element.attributes['to-chapter'], element.attributes['to-anchor'], element.attributes['to-file']
  if file then return element.content end
  if to then
    local target = scan.by_file[to]
    return linked('label(' .. quoted(id == target.id and id or anchor(scan, target, id)) .. ')', element.content)
  end
  if element.target:sub(1, 1) == '#' then
    return linked('label(' .. quoted(element.target:sub(2)) .. ')', element.content)
  end
  return linked(quoted(element.target), element.content)
end

local function math(element)
  return raw_inline('#evidence-math(' .. quoted(element.text) .. ', ' .. typst { pandoc.Plain { element } } .. ');')
end

-- The parts of an answer are the arguments of one call, in the order in which they are written.
local OPEN = { asked = '#evidence-answer([', risks = '[', told = '[', sure = '[' }
local CLOSE = { asked = '],', risks = '],', told = '],', sure = '])' }

local function answer_part(element)
  local name = element.classes[1]
  local share = (element.attributes.style or ''):match('^%-%-share: ([%d.]+)%%$')
  if name == 'joint' then return {} end
  local open = name == 'risk' and '#evidence-risk(' .. (share and share .. '%' or 'none') .. ')[' or OPEN[name]
  if not open then return nil end
  local first = element.content[1]
  if name == 'told' and first and first.t == 'Str' then first.text = first.text:gsub('^%l', string.upper) end
  element.content:insert(1, raw_inline(open))
  element.content:insert(raw_inline(name == 'risk' and '];' or CLOSE[name]))
  return element.content
end

local function span(scan, chapter, element)
  if element.classes:includes('note') then return nil end
  local part = answer_part(element)
  if part then return part end
  local number = element.attributes.number
  if number then
    local out = pandoc.Inlines { raw_inline('#evidence-equation(' .. quoted(number) .. ', ' .. quoted(element.identifier) .. ')[') }
    out:extend(element.content)
    out:insert(raw_inline('];'))
    return out
  elseif element.identifier ~= '' then
    element.content:insert(1, raw_inline('#evidence-anchor(' .. quoted(anchor(scan, chapter, element.identifier)) .. ');'))
  end
  return element.content
end

----- The document ------------------------------------------------------------------------------------------------

local function mark_float_images(blocks)
  return blocks:walk { Div = function(div)
    if not div.attributes.kind then return nil end
    return div:walk { Plain = function(plain)
      if #plain.content == 1 and plain.content[1].t == 'Image' then
        local element = plain.content[1]
        element.classes:insert('float-image')
        return pandoc.Plain { element }
      end
    end }
  end }
end

local function transform(scan, chapter, blocks)
  return mark_float_images(blocks):walk {
    Math = math,
    Image = function(element) return image(chapter, element) end,
    Link = function(element) return link(scan, chapter, element) end,
    Span = function(element) return span(scan, chapter, element) end,
    Cite = function(cite) return cite.content end,
    Header = function(element) return heading(scan, chapter, element) end,
    CodeBlock = function(block) if block.classes:includes('cell-code') then return {} end end,
    Table = table_blocks,
    Div = division,
  }
end

-- A heading right before a turned table turns with it, or it would stay behind alone.
local function turn_heading(out, block)
  local heading = out[#out]
  if not block.classes:includes('turned') or not heading or not heading.text:match('^#evidence%-heading') then return end
  out:remove()
  local first = block.content[1]
  first.text = first.text:gsub('turned: true', function(match) return match .. ', lead: [' .. heading.text .. ']' end, 1)
  block.content[1] = first
end

-- A drawing that floats to the next page leaves less of it than Typst had counted on when it broke the block that
-- fills the page before: lines of that block may be lost, or the PDF's tags come apart ("parent group"). So what
-- follows a floating drawing is set in pieces that do not break, and before anything that must break the drawing is
-- put in its place.
local PIECE = 1200 -- characters that may stand in one piece

-- A drawing after prose may float, unless it ends the chapter; after a heading it would leave the heading behind.
local function let_float(block)
  local first = block.content[1]
  local drawing = block.classes:includes('upright') and first.text:match('^#evidence%-float%(kind: "fig"')
  if not drawing or first.text:match('tall: true') then return false end
  first.text = first.text:gsub('floating: false', 'floating: true', 1)
  block.content[1] = first
  return true
end

local function breaks(block)
  if block.classes:includes('heading') then return false end
  local first = block.content[1].text or ''
  return not first:match('^#evidence%-float%(') or first:match('tall: true') or first:match('turned: true')
end

-- Prose is set to a comfortable measure; headings, figures and tables have the whole width.
local function measured(blocks)
  local out, run, floating = pandoc.Blocks {}, pandoc.Blocks {}, false
  local function set(opening, content)
    out:insert(raw(opening))
    out:extend(content)
    out:insert(raw(']'))
  end
  local function land()
    if floating then out:insert(raw('#place.flush()')) end
    floating = false
  end
  local function flush(closing)
    if #run > 0 and not floating then
      local kept = closing and #stringify(run) < CLOSING
      set(kept and '#evidence-prose(whole: true)[' or '#evidence-prose[', run)
    end
    run = pandoc.Blocks {}
  end
  for position, block in ipairs(blocks) do
    if block.t == 'Div' and block.classes:includes('wide') then
      local after_prose = #run > 0
      flush()
      if breaks(block) then land() end
      if after_prose and position < #blocks and let_float(block) then floating = true end
      turn_heading(out, block)
      out:extend(block.content)
    elseif not (block.t == 'RawBlock' and block.format ~= 'typst') then
      if floating and #stringify(block) >= PIECE then
        land()
        run = pandoc.Blocks {}
      end
      run:insert(block)
      if floating then set('#evidence-prose(piece: true)[', { block }) end
    end
  end
  flush(true)
  return out
end

local function optional(value) return value and value ~= '' and quoted(value) or 'none' end

local function chapter_opening(scan, chapter, before)
  local title = chapter.inlines:walk { Note = function() return {} end }
  local part = chapter.part
  if part == '' and chapter.appendix then part = 'Appendices' end
  return '#evidence-chapter(number: ' .. optional(chapter.number) .. ', part: ' .. optional(part) .. ', id: '
    .. quoted(chapter.id) .. (chapter.crowded and ', minor: true' or '')
    .. (before and before.part == chapter.part and ', opens: false' or '') .. ')' .. content(transform(scan, chapter, pandoc.Blocks { pandoc.Plain(title) })[1].content)
end

local function references(literature)
  local out = { '#evidence-chapter(number: none, part: none, id: "references")[References]' }
  for _, entry in ipairs(literature) do
    local blocks = transform({ index = {} }, { key = 'references', folder = '' }, entry.content)
    out[#out + 1] = '#evidence-reference(' .. quoted(entry.identifier) .. ')[' .. typst(blocks) .. ']'
  end
  return table.concat(out, '\n')
end

-- The sections of a part of many like chapters would drown the contents: there the chapters alone are listed.
local CROWD = 8

function paper.mark_crowded(chapters)
  local counts = {}
  for _, chapter in ipairs(chapters) do counts[chapter.part] = (counts[chapter.part] or 0) + 1 end
  for _, chapter in ipairs(chapters) do chapter.crowded = chapter.part ~= '' and counts[chapter.part] > CROWD end
end

function paper.settle() rows.settle('typst', typst) end

function paper.fragment(scan, position, doc)
  local chapters = scan.manifest.chapters
  return chapter_opening(scan, chapters[position], chapters[position - 1]) .. '\n\n'
    .. typst(measured(transform(scan, chapters[position], doc.blocks)))
end

-- What stands before the chapters, and after them.
function paper.front()
  return '#import "/evidence-book.typ": *\n\n#show: evidence-book.with(json("/evidence-book.json"))'
end

function paper.back(literature) return #literature > 0 and references(literature) or '' end

return paper
