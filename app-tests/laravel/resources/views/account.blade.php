@extends('base')
@section('content')
@if (session('note'))<p>{{ session('note') }}</p>@endif
visit {{ $visits }} of {{ $user }}
<form method="post" action="/logout">@csrf</form>
@endsection
