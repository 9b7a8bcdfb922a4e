--TEST--
The properties of a request are made at their first access, and are ordinary ones in every use
--FILE--
<?php
require __DIR__ . '/../show.inc';

$server = TestServer::start(<<<'CODE'
    $server->set(['worker_num' => 1]);
    $server->on('Request', function ($request, $response) {
        $name = $request->server['path_info'];
        ob_start();
        $GLOBALS['uses'][$name]($request);
        $response->end(ob_get_clean());
    });
    $uses = [
        '/read' => fn ($r) => var_dump($r->get['a'], $r->get['b'] ?? 'absent'),
        '/isset' => fn ($r) => var_dump(isset($r->get), isset($r->get['a']), isset($r->get['z']),
            isset($r->cookie), isset($r->nothing), empty($r->get), empty($r->cookie)),
        '/nested' => function ($r) { $r->get['x']['y'][] = 1; $r->get['x']['y'][] = 2; echo json_encode($r->get); },
        '/append' => function ($r) { $r->get[] = 'end'; echo json_encode($r->get); },
        '/append-to-null' => function ($r) { $r->cookie[] = 'end'; echo json_encode($r->cookie); },
        '/unset' => function ($r) { unset($r->get['a']); echo json_encode($r->get); unset($r->get);
            var_dump(isset($r->get)); $r->get = ['new']; echo json_encode($r->get); },
        '/unset-first' => function ($r) { unset($r->get); var_dump(isset($r->get), $r->get ?? 'gone'); },
        '/write-first' => function ($r) { $r->get = [1]; var_dump($r->get); },
        '/reference' => function ($r) { $get = &$r->get; $get['a'] = 'changed'; unset($get); echo json_encode($r->get); },
        '/reference-in' => function ($r) { $a = &$r->get['a']; $a = 'in'; echo json_encode($r->get); },
        '/foreach' => function ($r) { foreach ($r as $name => $value) echo $name, '=', gettype($value), ' '; },
        '/foreach-reference' => function ($r) { foreach ($r->get as &$value) $value .= '!'; unset($value); echo json_encode($r->get); },
        '/foreach-object-reference' => function ($r) { foreach ($r as $name => &$value) if ($name === 'get') $value = 'set'; unset($value); var_dump($r->get); },
        '/json' => function ($r) { $r->server = $r->header = null; echo preg_replace('/"fd":\d+/', '"fd":0', json_encode($r)); },
        '/var_dump' => function ($r) { unset($r->server, $r->header); $r->fd = 1; var_dump($r); },
        '/var_export' => function ($r) { unset($r->server, $r->header); $r->fd = 1; var_export($r); },
        '/array' => fn ($r) => print implode(' ', array_keys((array) $r)) . json_encode(((array) $r)['get']),
        '/vars' => fn ($r) => print json_encode(get_object_vars($r)['get']),
        '/count' => fn ($r) => var_dump(count((array) $r->get)),
        '/destructure' => function ($r) { ['a' => $a] = $r->get; var_dump($a); },
        '/exists' => fn ($r) => var_dump(property_exists($r, 'get'), property_exists($r, 'nothing')),
        '/reflection' => fn ($r) => var_dump((new ReflectionProperty($r, 'get'))->getValue($r)),
        '/initialized' => fn ($r) => var_dump((new ReflectionProperty($r, 'get'))->isInitialized($r)),
        '/dynamic-name' => function ($r) { $name = 'g' . 'et'; var_dump($r->$name); },
        '/dynamic' => function ($r) { @$r->mine = 1; foreach ($r as $name => $value) echo $name, '=', gettype($value), ' '; var_dump($r->get); },
        '/dynamic-nested' => function ($r) { @$r->mine['a'] = 1; echo json_encode($r->mine), json_encode($r->get); },
        '/equal' => fn ($r) => var_dump($r == $r, $r == new stdClass, $r === $r),
        '/refcount' => function ($r) { debug_zval_dump($r->get); },
        '/walk' => function ($r) { array_walk($r->get, function (&$v) { $v = strtoupper($v); }); echo json_encode($r->get); },
        '/clone' => function ($r) { try { clone $r; } catch (Error $e) { echo $e->getMessage(); } },
        '/serialize' => function ($r) { try { serialize($r); } catch (Exception $e) { echo $e->getMessage(); } },
        '/new' => function ($r) { try { new (get_class($r)); } catch (Error $e) { echo $e->getMessage(); } },
        '/undefined' => function ($r) { set_error_handler(function ($n, $m) { echo $m; return true; }); $r->nothing; restore_error_handler(); },
        '/gc' => function ($r) { $r->get['self'] = $r; gc_collect_cycles(); echo count($r->get); },
    ];
    CODE);

$connection = $server->connect();
foreach (['read', 'isset', 'nested', 'append', 'append-to-null', 'unset', 'unset-first', 'write-first',
    'reference', 'reference-in', 'foreach', 'foreach-reference', 'foreach-object-reference', 'json',
    'var_dump', 'var_export', 'array', 'vars', 'count', 'destructure', 'exists', 'reflection',
    'initialized', 'dynamic-name', 'dynamic', 'dynamic-nested', 'equal', 'refcount', 'walk', 'clone',
    'serialize', 'new', 'undefined', 'gc'] as $use) {
    // Twice: the second time, the handler's opcodes have their caches filled.
    foreach ([1, 2] as $time) {
        $connection->request('GET', "/$use?a=b");
        $body[$time] = $connection->response()->body;
    }
    $same = preg_replace('/#\d+/', '#', $body[1]) === preg_replace('/#\d+/', '#', $body[2]);
    echo "-- $use\n", rtrim($body[1]), "\n", $same ? '' : "-- the second time:\n$body[2]\n";
}
?>
--EXPECTF--
-- read
string(1) "b"
string(6) "absent"
-- isset
bool(true)
bool(true)
bool(false)
bool(false)
bool(false)
bool(false)
bool(true)
-- nested
{"a":"b","x":{"y":[1,2]}}
-- append
{"a":"b","0":"end"}
-- append-to-null
["end"]
-- unset
[]bool(false)
["new"]
-- unset-first
bool(false)
string(4) "gone"
-- write-first
array(1) {
  [0]=>
  int(1)
}
-- reference
{"a":"changed"}
-- reference-in
{"a":"in"}
-- foreach
fd=integer streamId=integer header=array server=array cookie=NULL get=array files=NULL post=NULL tmpfiles=NULL trailer=NULL
-- foreach-reference
{"a":"b!"}
-- foreach-object-reference
string(3) "set"
-- json
{"fd":0,"streamId":0,"header":null,"server":null,"cookie":null,"get":{"a":"b"},"files":null,"post":null,"tmpfiles":null,"trailer":null}
-- var_dump
object(Ferrite\Http\Request)#%d (8) {
  ["fd"]=>
  int(1)
  ["streamId"]=>
  int(0)
  ["cookie"]=>
  NULL
  ["get"]=>
  array(1) {
    ["a"]=>
    string(1) "b"
  }
  ["files"]=>
  NULL
  ["post"]=>
  NULL
  ["tmpfiles"]=>
  NULL
  ["trailer"]=>
  NULL
}
-- var_export
\Ferrite\Http\Request::__set_state(array(
   'fd' => 1,
   'streamId' => 0,
   'cookie' => NULL,
   'get' => 
  array (
    'a' => 'b',
  ),
   'files' => NULL,
   'post' => NULL,
   'tmpfiles' => NULL,
   'trailer' => NULL,
))
-- array
fd streamId header server cookie get files post tmpfiles trailer{"a":"b"}
-- vars
{"a":"b"}
-- count
int(1)
-- destructure
string(1) "b"
-- exists
bool(true)
bool(false)
-- reflection
array(1) {
  ["a"]=>
  string(1) "b"
}
-- initialized
bool(true)
-- dynamic-name
array(1) {
  ["a"]=>
  string(1) "b"
}
-- dynamic
fd=integer streamId=integer header=array server=array cookie=NULL get=array files=NULL post=NULL tmpfiles=NULL trailer=NULL mine=integer array(1) {
  ["a"]=>
  string(1) "b"
}
-- dynamic-nested
{"a":1}{"a":"b"}
-- equal
bool(true)
bool(false)
bool(true)
-- refcount
array(1) refcount(2){
  ["a"]=>
  string(1) "b" interned
}
-- walk
{"a":"B"}
-- clone
Trying to clone an uncloneable object of class Ferrite\Http\Request
-- serialize
Serialization of 'Ferrite\Http\Request' is not allowed
-- new
Ferrite\Http\Request cannot be created by new: the server passes it
-- undefined
Undefined property: Ferrite\Http\Request::$nothing
-- gc
2
