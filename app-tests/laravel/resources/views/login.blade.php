@extends('base')
@section('content')
@error('password') {{ $message }} @enderror
<form method="post">@csrf<input name="name" value="{{ old('name') }}"><input name="password"></form>
@endsection
