-- Plain text, written as Pandoc would write it: a call of a writer takes a millisecond, and a book has thousands.
-- Whatever could be more than it seems is left to Pandoc; all is where plain.off, which the tests compare with.
local plain = {}

-- After these, Pandoc sets a space that does not break.
local ABBREVIATIONS = ' aet. aetat. al. Apr. Aug. bk. Bros. c. Capt. cf. ch. chap. chs. Co. col. Corp. cp. d.'
  .. ' Dec. Dr. e.g. ed. eds. esp. f. fasc. Feb. ff. fig. fl. fol. fols. Fr. Gen. Gov. Hon. i.e. ill. Inc. incl. Jan. Jr.'
  .. ' Jul. Jun. Ltd. M.A. M.D. Mar. Mr. Mrs. Ms. n. n.b. nn. No. Nov. Oct. p. Ph.D. pp. Pres. Prof. pt.'
  .. ' q.v. Rep. Rev. s.v. s.vv. saec. sec. Sen. Sep. Sept. Sgt. Sr. St. univ. viz. vol. vs. '
local SIGNS = '^[%w .,;:()%%/+=_%[%]<>*#|&\128-\255-]*$'
local PAIRS = { '..', '--', '  ', '//', '\226\129' }

-- Is a text one that every writer sets as it stands, signs aside? Not with quotes, spaces of a kind, or what begins
-- a list.
local function is_plain(text)
  if not text:find(SIGNS) or (text .. ' '):find('^%d+[.)] ') or text:find('^ ') or text:find(' $') then return false end
  for _, pair in ipairs(PAIRS) do
    if text:find(pair, 1, true) then return false end
  end
  -- Of general punctuation: dashes, daggers, dots and the apostrophe.
  return not text:find('\226\128[^\147\148\153\160\161\166]')
end

local HTML = { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;' }
local BEGINS = { ['-'] = '\\-', ['+'] = '\\+', ['='] = '\\=', ['/'] = '\\/', ['('] = '\\(' }
local TYPST = { ['\226\128\147'] = '--', ['\226\128\148'] = '---', ['\226\128\153'] = "'" }

plain.write = {
  html = function(text) return (text:gsub('[&<>]', HTML)) end,
  typst = function(text)
    return (text:gsub('[_%[%]<>*#]', '\\%0'):gsub('^[-+=/(]', BEGINS):gsub('\226\128.', TYPST):gsub('\194\160', '~'))
  end,
}

-- The words of a text in Markdown; nil where it is more than words.
function plain.words(markdown)
  local text = markdown:gsub('\\([_%[%]<>*#|&])', '%1'):gsub("(%a)'(%a)", '%1\226\128\153%2')
  local unescaped = markdown:gsub('\\[_%[%]<>*#|&]', '')
  if unescaped:find('[\\`*_{}%[%]<>$@^~#&"|]') or markdown:find('\226\128\153') or not is_plain(text) then return nil end
  for word in text:gmatch('([%a.]+%.) ') do
    if ABBREVIATIONS:find(' ' .. word .. ' ', 1, true) then return nil end
  end
  return text
end

-- Inlines as a format has them; nil where they are more than words.
function plain.inlines(inlines, format)
  if plain.off then return nil end
  local words = {}
  for index, inline in ipairs(inlines) do
    local kind = inline.t
    if kind == 'Str' then words[index] = inline.text
    elseif kind == 'Space' or kind == 'SoftBreak' then words[index] = ' '
    else return nil end
  end
  local text = table.concat(words)
  return is_plain(text) and plain.write[format](text) or nil
end

return plain
